/* Owns reading what is exported of a member. */
#include "services/export.h"

sn_status export_read(struct rpc_call *c, const struct service_export *kind, const char *user_id, const char *after,
                      size_t limit, size_t *n, struct export_item **items)
{
        struct db_rows *rows = NULL;

        TRY(DB_READ(c, tx,
                    db_rows(tx, kind->statement,
                            DB_BINDS(bind_uuid(user_id), bind_text(after), bind_i64((int64_t)limit)), &rows)));
        *n = db_rows_count(rows);
        *items = ARENA_ARRAY(c->arena, struct export_item, *n);
        for (size_t i = 0; i < *n; i++) {
                (*items)[i] = (struct export_item){db_text(rows, i, "position"), db_text(rows, i, "item")};
        }
        return SN_OK;
}
