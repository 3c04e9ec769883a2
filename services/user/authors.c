/* Owns the memo of authors. */
#include "services/user/authors.h"

#include "cache/by_id.h"
#include "services/user/store.h"

static User__Author nobody = USER__AUTHOR__INIT; /* read-only */

static sn_status load(struct db_tx *tx, char **ids, size_t n, size_t *n_rows, ProtobufCMessage ***rows)
{
        User__Author **authors = NULL;

        TRY(store_authors(tx, ids, n, n_rows, &authors));
        *rows = ARENA_ARRAY(db_arena(tx), ProtobufCMessage *, *n_rows);
        for (size_t i = 0; i < *n_rows; i++) {
                (*rows)[i] = &authors[i]->base;
        }
        return SN_OK;
}

static const char *id_of(const ProtobufCMessage *row)
{
        return ((const User__Author *)row)->id;
}

static struct by_id authors_by_id = {.name = "authors", .load = load, .id_of = id_of};

sn_status authors_start(size_t max_bytes)
{
        return by_id_start(&authors_by_id, max_bytes);
}

void authors_stop(void)
{
        by_id_stop(&authors_by_id);
}

sn_status authors_get(struct rpc_call *c, char **ids, size_t n, User__Author ***items)
{
        ProtobufCMessage **rows = ARENA_ARRAY(c->arena, ProtobufCMessage *, n);

        TRY(by_id_get(c, &authors_by_id, READ_FROM_ANYWHERE, ids, n, rows));
        *items = ARENA_ARRAY(c->arena, User__Author *, n);
        for (size_t i = 0; i < n; i++) {
                (*items)[i] = rows[i] != NULL ? (User__Author *)rows[i] : &nobody;
        }
        return SN_OK;
}

void authors_changed(struct db_tx *tx, const char *id)
{
        by_id_changed(&authors_by_id, tx, id);
}
