/* Owns `sonet admin audit`: reading the audit log, and verifying its chain. */
#include "services/user/audit.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/str.h"
#include "cmd/admin/admin.h"

#define PAGE     1000
#define HEX_SIZE (2 * AUDIT_HASH_BYTES + 1)
#define CALL_MS  60000

/* The log is read in pages, each with its own call and arena, so that it can have any length. */
static sn_status for_each_page(struct rpc_call *c, void *context,
                               sn_status (*take)(struct rpc_call *c, void *context, const struct audit_row *rows,
                                                 size_t n))
{
        int64_t after = 0;

        for (size_t n = PAGE; n == PAGE;) {
                CLEANUP(rpc_call_free_p) struct rpc_call *page = rpc_call_new_background(c->service, CALL_MS);
                struct audit_row *rows = NULL;
                sn_status status = audit_read(page, after, PAGE, &n, &rows);

                if (status != SN_OK) {
                        return rpc_fail(c, status, NULL, "%s", page->problem.detail);
                }
                TRY(take(c, context, rows, n));
                after = n > 0 ? rows[n - 1].position : after;
        }
        return SN_OK;
}

/* ---- verify ---- */

struct verification {
        struct audit_check check;
        int64_t head; /* the position given with --head; 0: none */
        uint8_t head_hash[AUDIT_HASH_BYTES];
};

static bool parse_head(const char *text, struct verification *v)
{
        struct str rest = str_of(text), position;
        size_t len = 0;

        return str_next(&rest, ':', &position) && str_to_i64(position, &v->head) && v->head > 0 &&
               rest.len == HEX_SIZE - 1 &&
               sodium_hex2bin(v->head_hash, sizeof(v->head_hash), rest.ptr, rest.len, NULL, &len, NULL) == 0 &&
               len == AUDIT_HASH_BYTES;
}

static sn_status verify_page(struct rpc_call *c, void *context, const struct audit_row *rows, size_t n)
{
        struct verification *v = context;

        for (size_t i = 0; i < n; i++) {
                const char *wrong = audit_check_next(&v->check, &rows[i]);

                if (wrong != NULL) {
                        return rpc_fail(c, SN_DATA_LOSS, NULL,
                                        "the audit log was tampered with at position %" PRId64 " (entry %s): %s",
                                        rows[i].position, rows[i].id, wrong);
                }
                if (rows[i].position == v->head && memcmp(v->head_hash, v->check.hash, AUDIT_HASH_BYTES) != 0) {
                        return rpc_fail(c, SN_DATA_LOSS, NULL,
                                        "the audit log was rewritten: position %" PRId64
                                        " does not have the hash of the given head",
                                        v->head);
                }
        }
        if (n == PAGE && isatty(STDERR_FILENO)) {
                fprintf(stderr, "\r%" PRId64 " entries checked", v->check.position);
        }
        return SN_OK;
}

static sn_status check_rest(struct rpc_call *c, const struct verification *v)
{
        int64_t unlinked = 0;

        if (v->check.position < v->head) {
                return rpc_fail(c, SN_DATA_LOSS, NULL,
                                "the audit log was truncated: it ends at position %" PRId64
                                ", but the given head is at %" PRId64,
                                v->check.position, v->head);
        }
        TRY(audit_count_unlinked(c, &unlinked));
        return unlinked == 0 ? SN_OK
                             : rpc_fail(c, SN_DATA_LOSS, NULL,
                                        "%" PRId64 " entries of the audit log are not in its hash chain", unlinked);
}

static sn_status admin_audit_verify(struct admin *a, struct rpc_call *c)
{
        struct verification v = {0};
        char hex[HEX_SIZE] = "";

        if (a->head != NULL && !parse_head(a->head, &v)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, NULL,
                                "--head takes POSITION:HASH as 'audit verify' printed it");
        }
        TRY(for_each_page(c, &v, verify_page));
        TRY(check_rest(c, &v));
        sodium_bin2hex(hex, sizeof(hex), v.check.hash, AUDIT_HASH_BYTES);
        printf("%" PRId64 " entries, %" PRId64 " of them erased; head %" PRId64 ":%s\n", v.check.position,
               v.check.erased, v.check.position, hex);
        return SN_OK;
}

/* ---- list, export ---- */

static void add_text(json_t *object, const char *name, const char *text)
{
        if (text != NULL && *text) {
                json_object_set_new(object, name, json_string(text));
        }
}

static void add_json(json_t *object, const char *name, const char *text)
{
        if (text != NULL) {
                json_object_set_new(object, name, json_loads(text, 0, NULL));
        }
}

static void print_json(const struct audit_row *row)
{
        json_t *object = json_object();
        char when[CLOCK_RFC3339_SIZE], hex[HEX_SIZE];

        json_object_set_new(object, "position", json_integer(row->position));
        add_text(object, "occurred_at", clock_format_ms(strtoll(row->link_at_us, NULL, 10) / 1000, when));
        add_text(object, "action", row->link_action);
        json_object_set_new(object, "erased", json_boolean(!row->present));
        add_text(object, "actor_id", row->actor_id);
        add_text(object, "subject_id", row->subject_id);
        add_text(object, "session_id", row->session_id);
        add_text(object, "address", row->address);
        add_text(object, "client", row->client);
        add_json(object, "before", row->before);
        add_json(object, "after", row->after);
        if (row->hash != NULL) {
                add_text(object, "hash", sodium_bin2hex(hex, sizeof(hex), row->hash, AUDIT_HASH_BYTES));
        }
        json_dumpf(object, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(object);
}

static sn_status export_page(struct rpc_call *c, void *context, const struct audit_row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                print_json(&rows[i]);
        }
        return ferror(stdout) ? rpc_fail(c, SN_UNAVAILABLE, NULL, "cannot write to standard output") : SN_OK;
}

static sn_status export_all(struct admin *a, struct rpc_call *c)
{
        return for_each_page(c, NULL, export_page);
}

static void print_line(const struct audit_row *row)
{
        char when[CLOCK_RFC3339_SIZE];

        printf("%6" PRId64 "  %s  %s  by %s  about %s  from %s%s%s%s%s\n", row->position,
               clock_format_ms(strtoll(row->link_at_us, NULL, 10) / 1000, when), row->action,
               row->actor_id != NULL ? row->actor_id : row->client, row->subject_id != NULL ? row->subject_id : "-",
               row->address != NULL && *row->address ? row->address : "-", row->before != NULL ? "  " : "",
               row->before != NULL ? row->before : "", row->after != NULL ? "  -> " : "",
               row->after != NULL ? row->after : "");
}

static sn_status admin_audit_list(struct admin *a, struct rpc_call *c)
{
        struct audit_row *rows = NULL;
        size_t n = 0;

        TRY(audit_read_newest(c, (size_t)a->limit, &n, &rows));
        for (size_t i = 0; i < n; i++) {
                print_line(&rows[i]);
        }
        return SN_OK;
}

sn_status admin_audit(struct admin *a, int n, char **words)
{
        static const struct {
                const char *name;
                admin_action run;
        } commands[] = {{"list", admin_audit_list}, {"export", export_all}, {"verify", admin_audit_verify}};

        for (size_t i = 0; n == 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
                if (strcmp(words[0], commands[i].name) == 0) {
                        return admin_with_service(a, service_definition_find("user"), commands[i].run);
                }
        }
        buf_append_c(&a->error, "expected 'audit list', 'audit export' or 'audit verify'");
        return SN_INVALID_ARGUMENT;
}
