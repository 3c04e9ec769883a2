/* Owns `sonet admin user export`: all that the services keep of a member, as lines of JSON. */
#include "services/export.h"

#include <stdio.h>
#include "cmd/admin/admin.h"
#include "services/user/accounts.h"

enum { AT_ONCE = 500, CALL_MS = 60000 };

/* However much there is, by portions, each with a call, and so memory, of its own. */
static sn_status print_kind(struct rpc_call *c, const struct service_export *kind, const char *user_id)
{
        char *after = arena_strdup(c->arena, "");

        for (size_t n = AT_ONCE; n == AT_ONCE;) {
                CLEANUP(rpc_call_free_p) struct rpc_call *portion = rpc_call_new_background(c->service, CALL_MS);
                struct export_item *items = NULL;
                sn_status status = export_read(portion, kind, user_id, after, AT_ONCE, &n, &items);

                if (status != SN_OK) {
                        return rpc_fail(c, status, NULL, "%s: %s", kind->kind, portion->problem.detail);
                }
                for (size_t i = 0; i < n; i++) {
                        printf("{\"service\":\"%s\",\"kind\":\"%s\",\"item\":%s}\n", c->service->name, kind->kind,
                               items[i].json);
                }
                after = n > 0 ? arena_strdup(c->arena, items[n - 1].position) : after;
        }
        return fflush(stdout) == 0 ? SN_OK : rpc_fail(c, SN_UNAVAILABLE, NULL, "cannot write to standard output");
}

static sn_status print_service(struct admin *a, struct rpc_call *c)
{
        const struct service_export *exports = service_definition_find(c->service->name)->exports;

        for (size_t i = 0; exports[i].kind != NULL; i++) {
                TRY(print_kind(c, &exports[i], a->member_id));
        }
        return SN_OK;
}

static sn_status find_member(struct admin *a, struct rpc_call *c)
{
        UserAdmin__Account account = USER_ADMIN__ACCOUNT__INIT;

        TRY(DB_READ(c, tx, account_find(tx, a->words[0], &account)));
        a->member_id = arena_strdup(a->arena, account.id);
        return SN_OK;
}

sn_status admin_export(struct admin *a)
{
        TRY(admin_with_service(a, service_definition_find("user"), find_member));
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (sonet_services[i]->exports != NULL) {
                        TRY(admin_with_service(a, sonet_services[i], print_service));
                }
        }
        return SN_OK;
}
