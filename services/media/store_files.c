/* Owns the SQL of media_files. */
#include "services/media/media_columns.h"
#include "services/media/store.h"

DB_STATEMENT(INSERT_MEDIA, "media_service", NULL,
             "insert into media_files (id, owner_id, kind, status, mime_type, file_name, size_bytes, upload_sha256,"
             " alt_text, focus_x, focus_y, created_at)"
             " values ($1, $2, $3, 1, $4, $5, $6, decode($7, 'hex'), $8, $9, $10, $11)");

sn_status store_insert_media(struct db_tx *tx, const struct new_media *media)
{
        return db_exec(tx, &INSERT_MEDIA,
                       DB_BINDS(bind_uuid(media->id), bind_uuid(media->owner_id), bind_i64(media->kind),
                                bind_text(media->mime_type), bind_text(media->file_name), bind_i64(media->size_bytes),
                                bind_text(media->upload_sha256), bind_text(media->alt_text), bind_i64(media->focus_x),
                                bind_i64(media->focus_y), bind_time_ms(db_call(tx)->now_ms)),
                       NULL);
}

DB_STATEMENT(SELECT_MEDIA, "media_service", &media_rows__stored_media__message,
             "select " MEDIA_COLUMNS("") " from media_files f where f.id = $1");

sn_status store_media(struct db_tx *tx, const char *id, MediaRows__StoredMedia *out)
{
        return db_one(tx, &SELECT_MEDIA, DB_BINDS(bind_uuid(id)), &out->base, NULL);
}

DB_STATEMENT(SELECT_OWN_MEDIA, "media_service", &media_rows__stored_media__message,
             "select " MEDIA_OWN_COLUMNS " from media_files f where f.id = $1 and f.owner_id = $2");

sn_status store_own_media(struct db_tx *tx, const char *id, MediaRows__StoredMedia *out)
{
        return db_one(tx, &SELECT_OWN_MEDIA, DB_BINDS(bind_uuid(id), bind_uuid(db_call(tx)->actor)), &out->base, NULL);
}

DB_STATEMENT(SELECT_HAS_CONTENT, "media_service", NULL,
             "select 1 from media_files where owner_id = $1 and upload_sha256 = decode($2, 'hex') limit 1");

sn_status store_has_content(struct db_tx *tx, const char *owner_id, const char *upload_sha256, bool *has)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_HAS_CONTENT, DB_BINDS(bind_uuid(owner_id), bind_text(upload_sha256)), &rows));
        *has = db_rows_count(rows) > 0;
        return SN_OK;
}

DB_STATEMENT(
    UPDATE_MEDIA, "media_service", NULL,
    "update media_files set alt_text = coalesce($3, alt_text), focus_x = coalesce($4::bigint::integer, focus_x),"
    " focus_y = coalesce($5::bigint::integer, focus_y) where id = $1 and owner_id = $2");

sn_status store_update_media(struct db_tx *tx, const char *id, const char *owner_id, const char *alt_text,
                             const int32_t *focus_x, const int32_t *focus_y)
{
        int64_t changed = 0;

        TRY(db_exec(tx, &UPDATE_MEDIA,
                    DB_BINDS(bind_uuid(id), bind_uuid(owner_id), bind_text(alt_text),
                             focus_x != NULL ? bind_i64(*focus_x) : bind_null(),
                             focus_y != NULL ? bind_i64(*focus_y) : bind_null()),
                    &changed));
        return changed > 0 ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "you have no media with this id");
}

DB_STATEMENT(DELETE_MEDIA, "media_service", &media_rows__stored_media__message,
             "delete from media_files f where f.id = $1 and f.owner_id = $2 returning " MEDIA_COLUMNS(""));

sn_status store_delete_media(struct db_tx *tx, const char *id, const char *owner_id, MediaRows__StoredMedia *row)
{
        return db_one(tx, &DELETE_MEDIA, DB_BINDS(bind_uuid(id), bind_uuid(owner_id)), &row->base, NULL);
}

#define LIST(comparison, direction)                                                                                    \
        "select " MEDIA_OWN_COLUMNS " from media_files f where f.owner_id = $1 and f.id " comparison                   \
        " $2 and ($3 = 0 or f.kind = $3) order by f.id " direction " limit $4"
/* Uses the index of tags. */
#define LIST_TAGGED(comparison, direction)                                                                             \
        "select " MEDIA_OWN_COLUMNS " from media_tags a join media_files f on f.id = a.media_id where a.owner_id = $1" \
        " and a.tag = $5 and a.media_id " comparison                                                                   \
        " $2 and ($3 = 0 or f.kind = $3) and ($6::uuid is null or exists (select from"                                 \
        " media_collection_items i where i.collection_id = $6 and i.media_id = f.id))"                                 \
        " order by a.media_id " direction " limit $4"
/* Uses the index of collections. Returns only the actor's own media, whoever owns the collection. */
#define LIST_COLLECTED(comparison, direction)                                                                          \
        "select " MEDIA_OWN_COLUMNS " from media_collection_items i join media_files f on f.id = i.media_id"           \
        " where i.collection_id = $5 and f.owner_id = $1 and i.media_id " comparison                                   \
        " $2 and ($3 = 0 or f.kind = $3) order by i.media_id " direction " limit $4"

#define BOTH(name, list)                                                                                               \
        DB_STATEMENT(name, "media_service", &media_rows__stored_media__message, list("<", "desc"));                    \
        DB_STATEMENT(name##_AFTER, "media_service", &media_rows__stored_media__message, list(">", "asc"))

BOTH(LIST_MEDIA, LIST);
BOTH(LIST_TAGGED_MEDIA, LIST_TAGGED);
BOTH(LIST_COLLECTED_MEDIA, LIST_COLLECTED);

sn_status store_list_media(struct db_tx *tx, const char *owner_id, const struct media_filter *filter,
                           const struct page_scan *scan, size_t *n, MediaRows__StoredMedia ***rows)
{
        struct db_bind owner = bind_uuid(owner_id), beyond = bind_uuid(page_beyond_id(scan));
        struct db_bind kind = bind_i64(filter->kind), limit = bind_i64((int64_t)scan->limit);

        if (filter->tag != NULL) {
                return db_list(
                    tx, scan->newer ? &LIST_TAGGED_MEDIA_AFTER : &LIST_TAGGED_MEDIA,
                    DB_BINDS(owner, beyond, kind, limit, bind_text(filter->tag), bind_uuid(filter->collection_id)), n,
                    rows);
        }
        if (filter->collection_id[0] != '\0') {
                return db_list(tx, scan->newer ? &LIST_COLLECTED_MEDIA_AFTER : &LIST_COLLECTED_MEDIA,
                               DB_BINDS(owner, beyond, kind, limit, bind_uuid(filter->collection_id)), n, rows);
        }
        return db_list(tx, scan->newer ? &LIST_MEDIA_AFTER : &LIST_MEDIA, DB_BINDS(owner, beyond, kind, limit), n,
                       rows);
}
