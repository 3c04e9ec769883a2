/* Owns the SQL of collections, their items, and tags. */
#include "services/media/store_collections.h"

#define COLUMNS "select id, name, parent_id, created_at from media_collections"

DB_STATEMENT(SELECT_COLLECTION, "media_service", &media_collections__collection__message,
             COLUMNS " where id = $1 and owner_id = $2");

sn_status store_collection(struct db_tx *tx, const char *id, collection *out)
{
        struct rpc_call *c = db_call(tx);
        bool found = false;

        TRY(db_one(tx, &SELECT_COLLECTION, DB_BINDS(bind_uuid(id), bind_uuid(c->actor)), &out->base, &found));
        return found ? SN_OK : rpc_fail(c, SN_NOT_FOUND, "id", "you have no collection with this id");
}

DB_STATEMENT(COUNT_COLLECTIONS, "media_service", NULL,
             "select count(*) as n from media_collections where owner_id = $1");

sn_status store_count_collections(struct db_tx *tx, int64_t *n)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_COLLECTIONS, DB_BINDS(bind_uuid(db_call(tx)->actor)), &rows));
        *n = db_i64(rows, 0, "n");
        return SN_OK;
}

static sn_status change_collection(struct db_tx *tx, const struct db_statement *s, const struct db_bind *binds,
                                   size_t n)
{
        sn_status status = db_exec(tx, s, binds, n, NULL);

        return status == SN_ALREADY_EXISTS ? rpc_fail_code(db_call(tx), SN_ALREADY_EXISTS, "collection_exists", "name",
                                                           "another collection in the same place has this name")
                                           : status;
}

DB_STATEMENT(INSERT_COLLECTION, "media_service", NULL,
             "insert into media_collections (id, owner_id, parent_id, name, name_key, created_at)"
             " values ($1, $2, $3, $4, $5, $6)");

sn_status store_insert_collection(struct db_tx *tx, const char *id, const char *parent_id, const char *name,
                                  const char *key)
{
        struct rpc_call *c = db_call(tx);

        return change_collection(tx, &INSERT_COLLECTION,
                                 DB_BINDS(bind_uuid(id), bind_uuid(c->actor), bind_uuid(parent_id), bind_text(name),
                                          bind_text(key), bind_time_ms(c->now_ms)));
}

DB_STATEMENT(UPDATE_COLLECTION, "media_service", NULL,
             "update media_collections set parent_id = case when $2::boolean then $3 else parent_id end,"
             " name = coalesce($4, name), name_key = coalesce($5, name_key) where id = $1");

sn_status store_update_collection(struct db_tx *tx, const char *id, const char *parent_id, const char *name,
                                  const char *key)
{
        return change_collection(tx, &UPDATE_COLLECTION,
                                 DB_BINDS(bind_uuid(id), bind_bool(parent_id != NULL),
                                          bind_uuid(parent_id != NULL ? parent_id : ""), bind_text(name),
                                          bind_text(key)));
}

DB_STATEMENT(SELECT_BELOW, "media_service", NULL,
             "with recursive up (id, parent_id) as (select id, parent_id from media_collections where id = $1"
             " union all select c.id, c.parent_id from up join media_collections c on c.id = up.parent_id)"
             " select exists (select from up where id = $2) as below");

sn_status store_is_below(struct db_tx *tx, const char *id, const char *other_id, bool *below)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_BELOW, DB_BINDS(bind_uuid(id), bind_uuid(other_id)), &rows));
        *below = db_i64(rows, 0, "below") != 0;
        return SN_OK;
}

/* "is not distinct from" cannot use an index, so with and without a parent are two statements. */
#define LIST_INSIDE(comparison, direction)                                                                             \
        COLUMNS " where owner_id = $1 and parent_id = $2 and id " comparison " $3 order by id " direction " limit $4"
#define LIST_OUTSIDE(comparison, direction)                                                                            \
        COLUMNS " where owner_id = $1 and parent_id is null and id " comparison " $2 order by id " direction " limit " \
                "$3"

DB_STATEMENT(LIST_INSIDE_OLDER, "media_service", &media_collections__collection__message, LIST_INSIDE("<", "desc"));
DB_STATEMENT(LIST_INSIDE_NEWER, "media_service", &media_collections__collection__message, LIST_INSIDE(">", "asc"));
DB_STATEMENT(LIST_OUTSIDE_OLDER, "media_service", &media_collections__collection__message, LIST_OUTSIDE("<", "desc"));
DB_STATEMENT(LIST_OUTSIDE_NEWER, "media_service", &media_collections__collection__message, LIST_OUTSIDE(">", "asc"));

sn_status store_list_collections(struct db_tx *tx, const char *parent_id, const struct page_scan *scan, size_t *n,
                                 collection ***rows)
{
        struct db_bind owner = bind_uuid(db_call(tx)->actor), beyond = bind_uuid(page_beyond_id(scan));
        struct db_bind limit = bind_i64((int64_t)scan->limit);

        if (parent_id[0] == '\0') {
                return db_list(tx, scan->newer ? &LIST_OUTSIDE_NEWER : &LIST_OUTSIDE_OLDER,
                               DB_BINDS(owner, beyond, limit), n, rows);
        }
        return db_list(tx, scan->newer ? &LIST_INSIDE_NEWER : &LIST_INSIDE_OLDER,
                       DB_BINDS(owner, bind_uuid(parent_id), beyond, limit), n, rows);
}

DB_STATEMENT(DELETE_COLLECTION, "media_service", NULL, "delete from media_collections where id = $1 and owner_id = $2");

sn_status store_delete_collection(struct db_tx *tx, const char *id)
{
        struct rpc_call *c = db_call(tx);
        int64_t n = 0;

        TRY(db_exec(tx, &DELETE_COLLECTION, DB_BINDS(bind_uuid(id), bind_uuid(c->actor)), &n));
        return n > 0 ? SN_OK : rpc_fail(c, SN_NOT_FOUND, "id", "you have no collection with this id");
}

DB_STATEMENT(DELETE_COLLECTIONS_OF, "media_service", NULL, "delete from media_collections where owner_id = $1");

sn_status store_delete_collections_of(struct db_tx *tx, const char *owner_id)
{
        return db_exec(tx, &DELETE_COLLECTIONS_OF, DB_BINDS(bind_uuid(owner_id)), NULL);
}

/* --- items --- */

DB_STATEMENT(
    INSERT_ITEM, "media_service", NULL,
    "with own as (select id from media_files where id = $2 and owner_id = $3 for key share), added as (insert into"
    " media_collection_items (collection_id, media_id) select $1, id from own on conflict do nothing)"
    " select id from own");

sn_status store_add_item(struct db_tx *tx, const char *id, const char *media_id, bool *own)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &INSERT_ITEM, DB_BINDS(bind_uuid(id), bind_uuid(media_id), bind_uuid(db_call(tx)->actor)),
                    &rows));
        *own = db_rows_count(rows) > 0;
        return SN_OK;
}

DB_STATEMENT(DELETE_ITEM, "media_service", NULL,
             "delete from media_collection_items where collection_id = $1 and media_id = $2");

sn_status store_remove_item(struct db_tx *tx, const char *id, const char *media_id)
{
        return db_exec(tx, &DELETE_ITEM, DB_BINDS(bind_uuid(id), bind_uuid(media_id)), NULL);
}

/* --- tags --- */

DB_STATEMENT(SET_TAGS, "media_service", NULL,
             "with gone as (delete from media_tags where media_id = $1 and tag <> all (coalesce($3::text[], '{}')))"
             ", still as (select id from media_files where id = $1 for key share)"
             " insert into media_tags (media_id, owner_id, tag) select distinct still.id, $2::uuid, tag"
             " from still, unnest($3::text[]) as t (tag) on conflict do nothing");

sn_status store_set_tags(struct db_tx *tx, const char *media_id, char **tags, size_t n)
{
        return db_exec(tx, &SET_TAGS, DB_BINDS(bind_uuid(media_id), bind_uuid(db_call(tx)->actor), bind_texts(tags, n)),
                       NULL);
}
