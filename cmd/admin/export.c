/* Owns `sonet admin user export`: all data that the services have about a member, from their databases. */
#include "services/export.h"

#include <stdio.h>
#include "cmd/admin/admin.h"
#include "services/user/accounts.h"

enum { CALL_MS = 60000, TEXT_MAX = 16 << 20 };

static sn_status print_text(struct rpc_call *c, struct buf *text)
{
        bool good = !text->overflow && fwrite(text->data, 1, text->len, stdout) == text->len && fflush(stdout) == 0;

        buf_free(text);
        return good ? SN_OK : rpc_fail(c, SN_UNAVAILABLE, NULL, "cannot write to standard output");
}

/* Each portion has its own call and arena, however many there are. */
static sn_status print_portion(struct admin *a, struct rpc_call *c, const struct export_part *part, char **after)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *portion = rpc_call_new_background(c->service, CALL_MS);
        export_request in = SONET__EXPORT__READ_EXPORT_REQUEST__INIT;
        export_portion out = SONET__EXPORT__READ_EXPORT_RESPONSE__INIT;
        struct buf text;

        in.member_id = (char *)a->member_id;
        in.kind = (char *)part->kind->kind;
        in.after = *after;
        sn_status status = export_answer(portion, &in, &out);
        if (status != SN_OK) {
                return rpc_fail(c, status, NULL, "%s: %s", part->kind->kind, portion->problem.detail);
        }
        buf_init(&text, TEXT_MAX);
        export_write_items(&text, part, &out, a->n_listed == 0);
        a->n_listed += out.n_items;
        *after = out.more ? arena_strdup(c->arena, out.items[out.n_items - 1]->position) : NULL;
        return text.len > 0 ? print_text(c, &text) : SN_OK;
}

static sn_status print_service(struct admin *a, struct rpc_call *c)
{
        struct export_part part = {service_definition_find(c->service->name), NULL};

        for (part.kind = part.service->exports; part.kind->kind != NULL; part.kind++) {
                for (char *after = ""; after != NULL;) {
                        TRY(print_portion(a, c, &part, &after));
                }
        }
        return SN_OK;
}

static sn_status print_start(struct admin *a, struct rpc_call *c)
{
        UserAdmin__Account account = USER_ADMIN__ACCOUNT__INIT;
        struct buf text;

        TRY(DB_READ(c, tx, account_find(tx, a->words[0], &account)));
        a->member_id = arena_strdup(a->arena, account.id);
        buf_init(&text, TEXT_MAX);
        export_write_start(&text, a->member_id, c->now_ms);
        return print_text(c, &text);
}

static sn_status print_end(struct admin *a, struct rpc_call *c)
{
        struct buf text;

        buf_init(&text, TEXT_MAX);
        export_write_end(&text);
        return print_text(c, &text);
}

sn_status admin_export(struct admin *a)
{
        const struct service_definition *user = service_definition_find("user");

        TRY(admin_with_service(a, user, print_start));
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (sonet_services[i]->exports != NULL) {
                        TRY(admin_with_service(a, sonet_services[i], print_service));
                }
        }
        return admin_with_service(a, user, print_end);
}
