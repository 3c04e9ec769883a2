/* Owns the SQL of the block list. */
#include "services/media/store_blocks.h"

#include "services/media/media_columns.h"

enum { LOOKED_AT_ONCE = 500 };

/* Hashes of the same picture in another size or quality differ in a few of 64 bits, those of different pictures in
 * about half of them. */
#define LOOKS_LIKE(hash, other) "bit_count(" hash " # " other ") <= 6"
#define HEX_BITS(hex)           "('x' || nullif(" hex ", ''))::bit(64)"
#define BITS_HEX(bits)          "lpad(to_hex((" bits ")::bigint), 16, '0')"

DB_STATEMENT(LOCK_BLOCKS, "media_service", NULL, "lock table media_blocks in access exclusive mode");

sn_status block_store_lock(struct db_tx *tx)
{
        return db_exec(tx, &LOCK_BLOCKS, DB_NO_BINDS, NULL);
}

DB_STATEMENT(
    INSERT_BLOCK, "media_service", NULL,
    "insert into media_blocks (id, content_sha256, perceptual_hash, reason)"
    " select $1, decode(nullif($2, ''), 'hex'), " HEX_BITS("$3") ", $4"
                                                                 " where $2 <> '' or $3 <> '' on conflict do nothing");

sn_status block_store_insert(struct db_tx *tx, const char *sha256, const char *perceptual_hash, const char *reason,
                             int64_t *n)
{
        int64_t inserted = 0;

        TRY(db_exec(tx, &INSERT_BLOCK,
                    DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_text(sha256), bind_text(perceptual_hash),
                             bind_text(reason)),
                    &inserted));
        *n += inserted;
        return SN_OK;
}

DB_STATEMENT(
    DELETE_BLOCK, "media_service", NULL,
    "delete from media_blocks where encode(content_sha256, 'hex') = $1 or " BITS_HEX("perceptual_hash") " = $1");

sn_status block_store_delete(struct db_tx *tx, const char *hash, int64_t *n)
{
        return db_exec(tx, &DELETE_BLOCK, DB_BINDS(bind_text(hash)), n);
}

#define BLOCK_COLUMNS                                                                                                  \
        "id, encode(content_sha256, 'hex') as content_sha256, " BITS_HEX(                                              \
            "perceptual_hash") " as perceptual_hash, reason, is_applied, applied_to, created_at"

DB_STATEMENT(SELECT_BLOCKS, "media_service", &media_rows__block__message,
             "select " BLOCK_COLUMNS " from media_blocks order by id desc limit $1");

sn_status block_store_list(struct db_tx *tx, int64_t limit, size_t *n, MediaRows__Block ***rows)
{
        return db_list(tx, &SELECT_BLOCKS, DB_BINDS(bind_i64(limit)), n, rows);
}

DB_STATEMENT(SELECT_HASHES, "media_service", &media_rows__block__message,
             "select encode(upload_sha256, 'hex') as id, encode(content_sha256, 'hex') as content_sha256,"
             " " BITS_HEX("perceptual_hash") " as perceptual_hash from media_files where id = $1");

sn_status block_store_hashes(struct db_tx *tx, const char *media_id, MediaRows__Block *out)
{
        return db_one(tx, &SELECT_HASHES, DB_BINDS(bind_uuid(media_id)), &out->base, NULL);
}

DB_STATEMENT(SELECT_IS_BLOCKED, "media_service", NULL,
             "select 1 from media_blocks where content_sha256 = decode($1, 'hex')"
             " or " LOOKS_LIKE("perceptual_hash", HEX_BITS("$2")) " limit 1");

sn_status block_store_has(struct db_tx *tx, const char *sha256, const char *perceptual_hash, bool *is_blocked)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_IS_BLOCKED, DB_BINDS(bind_text(sha256), bind_text(perceptual_hash)), &rows));
        *is_blocked = db_rows_count(rows) > 0;
        return SN_OK;
}

DB_STATEMENT(TAKE_BLOCK, "media_service", &media_rows__block__message,
             "select " BLOCK_COLUMNS " from media_blocks where not is_applied order by id limit 1"
             " for update skip locked");

sn_status block_store_take(struct db_tx *tx, MediaRows__Block *out, bool *found)
{
        return db_one(tx, &TAKE_BLOCK, DB_NO_BINDS, &out->base, found);
}

/* Same content is found by an index; failed media need nothing more. */
DB_STATEMENT(SELECT_SAME_CONTENT, "media_service", &media_rows__stored_media__message,
             "select " MEDIA_COLUMNS("") " from media_files f where (f.upload_sha256 = decode($1, 'hex')"
                                         " or f.content_sha256 = decode($1, 'hex')) and f.status <> 3 limit $2");
/* Similar hashes have no index, so all media are scanned, in portions. */
DB_STATEMENT(SELECT_LOOKED_TO, "media_service", NULL,
             "select id from media_files where id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)"
             " order by id limit 1 offset $2");
DB_STATEMENT(SELECT_ALIKE, "media_service", &media_rows__stored_media__message,
             "select " MEDIA_COLUMNS("") " from media_files f where f.id > coalesce($1,"
                                         " '00000000-0000-0000-0000-000000000000'::uuid) and f.id <="
                                         " coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)"
                                         " and f.status <> 3 and " LOOKS_LIKE("f.perceptual_hash", HEX_BITS("$3")));

static sn_status select_alike(struct db_tx *tx, MediaRows__Block *block, size_t *n, MediaRows__StoredMedia ***rows)
{
        struct db_rows *bound = NULL;
        struct db_bind from = bind_uuid(block->applied_to);

        TRY(db_rows(tx, &SELECT_LOOKED_TO, DB_BINDS(from, bind_i64(LOOKED_AT_ONCE - 1)), &bound));
        block->applied_to = db_rows_count(bound) > 0 ? arena_strdup(db_arena(tx), db_text(bound, 0, "id")) : (char *)"";
        return db_list(tx, &SELECT_ALIKE,
                       DB_BINDS(from, bind_uuid(block->applied_to), bind_text(block->perceptual_hash)), n, rows);
}

sn_status block_store_media(struct db_tx *tx, MediaRows__Block *block, size_t *n, MediaRows__StoredMedia ***rows)
{
        if (block->content_sha256[0] == '\0') {
                return select_alike(tx, block, n, rows);
        }
        TRY(db_list(tx, &SELECT_SAME_CONTENT, DB_BINDS(bind_text(block->content_sha256), bind_i64(LOOKED_AT_ONCE)), n,
                    rows));
        block->applied_to = *n == LOOKED_AT_ONCE ? (*rows)[*n - 1]->id : (char *)"";
        return SN_OK;
}

DB_STATEMENT(UPDATE_BLOCK, "media_service", NULL,
             "update media_blocks set applied_to = $2, is_applied = $2::uuid is null where id = $1");

sn_status block_store_applied(struct db_tx *tx, const MediaRows__Block *block)
{
        return db_exec(tx, &UPDATE_BLOCK, DB_BINDS(bind_uuid(block->id), bind_uuid(block->applied_to)), NULL);
}
