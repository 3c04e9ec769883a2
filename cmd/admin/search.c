/* Owns `sonet admin search`: rebuilding the index from its sources (services/search/rebuild.h). */
#include "services/search/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "cmd/admin/admin.h"

static sn_status admin_search_show(struct admin *a, struct rpc_call *c)
{
        SearchRows__Rebuild **rows = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, rebuild_progress(tx, &n, &rows)));
        for (size_t i = 0; i < n; i++) {
                printf("%s: %" PRId64 " checked, %s\n", rows[i]->kind, rows[i]->checked,
                       rows[i]->done ? "done" : "in progress");
        }
        return SN_OK;
}

static sn_status admin_search_rebuild(struct admin *a, struct rpc_call *c)
{
        return DB_WRITE(c, tx, rebuild_ask(tx));
}

sn_status admin_search(struct admin *a, int n, char **words)
{
        const struct service_definition *search = service_definition_find("search");

        if (n == 1 && strcmp(words[0], "rebuild") == 0) {
                TRY(admin_with_service(a, search, admin_search_rebuild));
                return admin_with_service(a, search, admin_search_show);
        }
        if (n == 1 && strcmp(words[0], "progress") == 0) {
                return admin_with_service(a, search, admin_search_show);
        }
        buf_append_c(&a->error, "expected 'search rebuild' or 'search progress'");
        return SN_INVALID_ARGUMENT;
}
