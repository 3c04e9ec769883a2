/* Owns creating uploads: empty, with the first piece, or as the concatenation of partial ones. */
#include "services/media/upload.h"

#include <string.h>
#include "services/media/quota.h"
#include "services/media/tus.h"

enum { UPLOADS_MAX = 1000 }; /* unfinished uploads per member, which occupy rows until they expire */

static sn_status check_size(struct rpc_call *c, const MediaUploads__CreateUploadRequest *in)
{
        bool has_length = in->size_case != 0, deferred = in->defer_length[0] != '\0';

        if (deferred && strcmp(in->defer_length, "1") != 0) {
                return rpc_fail_code(c, SN_INVALID_ARGUMENT, "malformed_request", "defer_length", "must be 1");
        }
        if (has_length == deferred) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "length",
                                "give either Upload-Length or Upload-Defer-Length: 1");
        }
        return has_length ? upload_check_length(c, in->length) : SN_OK;
}

sn_status upload_check_number(struct db_tx *tx, const char *owner_id)
{
        int64_t n = 0;

        TRY(store_unfinished_uploads(tx, owner_id, &n));
        return n < UPLOADS_MAX
                   ? SN_OK
                   : rpc_fail_code(db_call(tx), SN_RESOURCE_EXHAUSTED, "too_many_uploads", NULL,
                                   "%d of your uploads are not finished; finish or delete one first", UPLOADS_MAX);
}

/* Locks the owner's quota, so that concurrent requests count each other. */
static sn_status lock_number(struct db_tx *tx, const char *owner_id)
{
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;

        TRY(store_lock_quota(tx, owner_id, &quota));
        return upload_check_number(tx, owner_id);
}

static sn_status begin_upload(struct rpc_call *c, const MediaUploads__CreateUploadRequest *in, upload_row *upload)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct upload_piece piece;

        TRY(DB_READ(c, read, upload_check_number(read, upload->owner_id))); /* before the piece is stored */
        TRY(upload_keep(c, upload, in->checksum, &piece));
        TRY(db_begin(c, &tx));
        TRY(lock_number(tx, upload->owner_id));
        TRY(store_insert_upload(tx, upload));
        TRY(upload_receive(tx, upload, &piece));
        TRY(store_upload(tx, upload->id, false, upload));
        return db_commit(c, NULL, &tx);
}

/* --- concatenation --- */

static sn_status check_part(struct db_tx *tx, const char *id, bool lock, upload_row *part)
{
        TRY(store_upload(tx, id, lock, part));
        if (!part->is_partial || !part->has_length || part->received_bytes != part->length) {
                return rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "concat",
                                "a part is not a partial upload, or is not complete");
        }
        return SN_OK;
}

/* Reads the chunks of all parts, in order. */
static sn_status read_parts(struct rpc_call *c, char **ids, size_t n, upload_row *whole, size_t *n_chunks,
                            MediaRows__Chunk ***chunks)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        *n_chunks = 0;
        TRY(db_read(c, &tx));
        for (size_t i = 0; i < n; i++) {
                upload_row part = MEDIA_ROWS__STORED_UPLOAD__INIT;
                MediaRows__Chunk **some = NULL, **all = NULL;
                size_t n_some = 0;

                TRY(check_part(tx, ids[i], false, &part));
                TRY(store_chunks(tx, ids[i], &n_some, &some));
                TRY(upload_check_pieces(c, *n_chunks + n_some));
                all = ARENA_ARRAY(c->arena, MediaRows__Chunk *, *n_chunks + n_some + 1);
                memcpy(all, *chunks, *n_chunks * sizeof(*all));
                memcpy(all + *n_chunks, some, n_some * sizeof(*all));
                *chunks = all;
                *n_chunks += n_some;
                whole->length += part.length;
        }
        whole->has_length = true;
        return upload_check_length(c, whole->length);
}

static bool is_named_before(char **ids, size_t at)
{
        for (size_t i = 0; i < at; i++) {
                if (uuid_equal(ids[i], ids[at])) {
                        return true;
                }
        }
        return false;
}

/* Deletes the parts, of which one may be named more than once; this releases their reservations before the whole is
 * charged. */
static sn_status drop_parts(struct db_tx *tx, char **ids, size_t n)
{
        MediaRows__Quota quota = MEDIA_ROWS__QUOTA__INIT;

        /* The quota first, since requests may name parts in any order. */
        TRY(store_lock_quota(tx, db_call(tx)->actor, &quota));
        for (size_t i = 0; i < n; i++) {
                upload_row part = MEDIA_ROWS__STORED_UPLOAD__INIT;

                if (!is_named_before(ids, i)) {
                        TRY(check_part(tx, ids[i], true, &part));
                        TRY(upload_drop(tx, &part));
                }
        }
        return SN_OK;
}

static sn_status concatenate(struct rpc_call *c, char **ids, size_t n, upload_row *whole)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct upload_piece piece = {.chunk_id = ""};
        MediaRows__Chunk **chunks = ARENA_ARRAY(c->arena, MediaRows__Chunk *, 1);
        size_t n_chunks = 0;

        TRY(read_parts(c, ids, n, whole, &n_chunks, &chunks));
        TRY(upload_assemble(c, whole, chunks, n_chunks, false, &piece));
        TRY(db_begin(c, &tx));
        TRY(drop_parts(tx, ids, n));
        TRY(store_insert_upload(tx, whole));
        TRY(upload_receive(tx, whole, &piece));
        TRY(store_upload(tx, whole->id, false, whole));
        return db_commit(c, NULL, &tx);
}

sn_status upload_of_request(struct rpc_call *c, const MediaUploads__CreateUploadRequest *in, upload_row *upload,
                            size_t *n_parts, char ***parts)
{
        TRY(tus_check_version(c, in->version));
        TRY(tus_check_metadata(c, in->metadata));
        TRY(tus_parts(c, in->concat, n_parts, parts));
        TRY(*n_parts == 0 ? check_size(c, in) : SN_OK);
        upload->id = uuid_new_in(c->arena);
        upload->owner_id = (char *)c->actor;
        upload->metadata = in->metadata;
        upload->concat = in->concat;
        upload->is_partial = strcmp(in->concat, "partial") == 0;
        upload->has_length = *n_parts == 0 && in->size_case != 0;
        upload->length = upload->has_length ? in->length : 0;
        return SN_OK;
}

sn_status media_handle_create_upload(struct rpc_call *c, const MediaUploads__CreateUploadRequest *in,
                                     MediaUploads__Upload *out)
{
        upload_row upload = MEDIA_ROWS__STORED_UPLOAD__INIT;
        char **parts = NULL;
        size_t n = 0;

        TRY(upload_of_request(c, in, &upload, &n, &parts));
        TRY(n > 0 ? concatenate(c, parts, n, &upload) : begin_upload(c, in, &upload));
        upload_answer(c, &upload, out);
        return SN_OK;
}
