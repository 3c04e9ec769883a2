/* Problems and deadlines of calls, and calls without a client. */
#include "base/call.h"

#include "base/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

enum { BACKGROUND_ARENA_BYTES = 32 * 1024 * 1024, MAX_REQUEST_ID_BYTES = 64 };

/* Details quote user input, truncated: invalid UTF-8 at the cut would be rejected by the next service. */
static const char *valid_text(char *text)
{
        while (text != NULL && !utf8_valid(text, strlen(text))) {
                size_t good = strlen(text);

                while (!utf8_valid(text, good)) {
                        good--;
                }
                text[good] = '?';
        }
        return text;
}

static sn_status fail_v(struct rpc_call *c, sn_status status, const char *code, const char *field, const char *detail,
                        va_list args)
{
        const struct sn_status_row *row = sn_status_row(status);
        c->problem = (struct rpc_problem){
            .status = status,
            .code = code != NULL ? code : row->code,
            .field = field != NULL ? valid_text(arena_strdup(c->arena, field))
                                   : NULL, /* callers often build it in a local array */
            .detail = valid_text(arena_vprintf(c->arena, detail, args)),
            .retry_after_s = row->retry_after_s,
        };
        return status;
}

#undef rpc_fail /* for the analyzer they are macros */
#undef rpc_fail_code

sn_status rpc_fail(struct rpc_call *c, sn_status status, const char *field, const char *detail, ...)
{
        va_list args;
        va_start(args, detail);
        fail_v(c, status, NULL, field, detail, args);
        va_end(args);
        return status;
}

sn_status rpc_fail_code(struct rpc_call *c, sn_status status, const char *code, const char *field, const char *detail,
                        ...)
{
        va_list args;
        va_start(args, detail);
        fail_v(c, status, code, field, detail, args);
        va_end(args);
        return status;
}

sn_status rpc_fail_challenge(struct rpc_call *c, const char *code, const struct ProtobufCMessage *challenge,
                             const char *detail)
{
        (void)rpc_fail_code(c, SN_UNAUTHENTICATED, code, NULL, "%s", detail);
        struct rpc_challenge *given = ARENA_NEW(c->arena, struct rpc_challenge);

        *given = (struct rpc_challenge){c->method->challenge, challenge};
        c->problem.challenge = given;
        return SN_UNAUTHENTICATED;
}

bool rpc_call_expired(const struct rpc_call *c)
{
        return clock_monotonic_us() >= c->deadline_us;
}

int64_t rpc_call_left_ms(const struct rpc_call *c)
{
        int64_t left_us = c->deadline_us - clock_monotonic_us();
        return left_us > 0 ? left_us / 1000 : 0;
}

static bool is_hex(struct str s, size_t len)
{
        for (size_t i = 0; i < s.len; i++) {
                if (strchr("0123456789abcdef", s.ptr[i]) == NULL || s.ptr[i] == '\0') {
                        return false;
                }
        }
        return s.len == len;
}

static bool is_zero(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                if (s.ptr[i] != '0') {
                        return false;
                }
        }
        return true;
}

/* version-traceid-parentid-flags; what a later version appends is passed over. */
static bool read_traceparent(struct str text, struct str *id)
{
        struct str rest = text, version, parent, flags;
        return str_next(&rest, '-', &version) && is_hex(version, 2) && !str_equal(version, STR("ff")) &&
               str_next(&rest, '-', id) && is_hex(*id, 32) && !is_zero(*id) && str_next(&rest, '-', &parent) &&
               is_hex(parent, 16) && !is_zero(parent) && str_next(&rest, '-', &flags) && is_hex(flags, 2) &&
               (rest.len == 0 || !str_equal(version, STR("00")));
}

const char *rpc_trace_id(struct arena *arena, struct str traceparent)
{
        struct str id;
        uint64_t bytes[2];
        if (read_traceparent(traceparent, &id)) {
                return str_dup(arena, id);
        }
        random_bytes(bytes, sizeof(bytes));
        return arena_printf(arena, "%016llx%016llx", (unsigned long long)bytes[0], (unsigned long long)bytes[1]);
}

const char *rpc_request_id(struct arena *arena, struct str given)
{
        static const char harmless[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        const char *text = str_dup(arena, given);
        bool good = given.len > 0 && given.len <= MAX_REQUEST_ID_BYTES && strspn(text, harmless) == given.len;
        return good ? text : uuid_new_in(arena);
}

sn_status rpc_answer_file(struct rpc_call *c, int fd)
{
        rpc_call_drop_file(c);
        c->file = ARENA_NEW(c->arena, struct rpc_file);
        c->file->fd = fd;
        return SN_OK;
}

sn_status rpc_answer_far_file(struct rpc_call *c, const struct rpc_far_file *file)
{
        TRY(rpc_answer_file(c, -1));
        c->file->far = file;
        return SN_OK;
}

void rpc_call_drop_file(struct rpc_call *c)
{
        if (c->file != NULL && c->file->fd >= 0) {
                close(c->file->fd);
        }
        c->file = NULL;
}

struct rpc_call *rpc_call_new_background(struct service *service, int64_t deadline_ms)
{
        struct arena *arena = arena_new(BACKGROUND_ARENA_BYTES);
        if (arena == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        struct rpc_call *c = ARENA_NEW(arena, struct rpc_call);
        *c = (struct rpc_call){
            .arena = arena,
            .service = service,
            CALL_OF_NOBODY,
            .client_address = "",
            .user_agent = "",
            .trace_id = rpc_trace_id(arena, STR("")),
            .request_id = uuid_new_in(arena),
            .deadline_us = clock_monotonic_us() + deadline_ms * 1000,
            .now_ms = clock_wall_ms(),
        };
        return c;
}

void rpc_call_free(struct rpc_call *c)
{
        if (c != NULL) {
                arena_free(c->arena);
        }
}

void rpc_call_free_p(struct rpc_call **c)
{
        rpc_call_free(*c);
        *c = NULL;
}

void call_assert_no_transaction(const struct rpc_call *c, const char *what)
{
        if (c->open_transactions > 0) {
                fprintf(stderr, "sonet: %s was called while a transaction was open\n", what);
                abort();
        }
}
