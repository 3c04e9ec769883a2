/* Owns assembling the pieces of an upload. */
#include "services/media/upload.h"

#include <unistd.h>
#include "base/spool.h"
#include "services/media/create.h"
#include "services/media/tus.h"

enum { FILE_NAME_MAX = 255, ALT_TEXT_MAX = 1500 };

static sn_status fail_assembling(struct rpc_call *c, enum spool_result result)
{
        return rpc_fail(c, result == SPOOL_FULL || result == SPOOL_LATE ? SN_UNAVAILABLE : SN_INTERNAL, NULL,
                        "the pieces could not be assembled; send the last one again");
}

static sn_status copy_chunk(struct rpc_call *c, struct spool *to, int from)
{
        enum spool_result result = spool_copy(to, from, c->deadline_us);

        return result == SPOOL_OK ? SN_OK : fail_assembling(c, result);
}

static sn_status copy_chunks(struct rpc_call *c, struct spool *to, MediaRows__Chunk **chunks, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int fd = -1;

                TRY(chunk_open(c, chunks[i]->id, &fd));
                sn_status status = copy_chunk(c, to, fd);
                close(fd);
                TRY(status);
        }
        return SN_OK;
}

static void free_spool(void *spool)
{
        spool_free(spool);
}

struct whole_file {
        int fd; /* owned by the call */
        const uint8_t *sha256;
};

/* An upload with a single piece needs no assembling. */
static sn_status put_together(struct rpc_call *c, MediaRows__Chunk **chunks, size_t n, bool with_body,
                              struct whole_file *out)
{
        struct spool *whole = NULL;
        uint8_t *sha256 = arena_alloc(c->arena, 32);

        *out = (struct whole_file){n == 0 ? c->body->fd : -1, n == 0 ? c->body->sha256 : sha256};
        if (n == 0) {
                return SN_OK;
        }
        enum spool_result result = spool_new(0, &whole);
        if (result != SPOOL_OK) {
                return fail_assembling(c, result);
        }
        arena_defer(c->arena, free_spool, whole);
        if (!spool_hash(whole)) {
                return fail_assembling(c, SPOOL_FULL);
        }
        TRY(copy_chunks(c, whole, chunks, n));
        TRY(with_body ? copy_chunk(c, whole, c->body->fd) : SN_OK);
        result = spool_finish(whole, c->deadline_us, &out->fd);
        return result == SPOOL_OK && spool_sha256(whole, sha256) ? SN_OK : fail_assembling(c, result);
}

sn_status upload_assemble(struct rpc_call *c, const upload_row *upload, MediaRows__Chunk **chunks, size_t n,
                          bool with_body, struct upload_piece *out)
{
        struct whole_file whole;
        struct sniffed type;

        TRY(put_together(c, chunks, n, with_body, &whole));
        TRY(sniff(c, whole.fd, "data", &type));
        TRY(blob_stage(c, whole.fd, whole.sha256, &out->blob));
        out->whole = true;
        out->media = (struct new_media){.id = uuid_new_in(c->arena),
                                        .owner_id = upload->owner_id,
                                        .kind = type.kind,
                                        .mime_type = type.mime_type,
                                        .file_name = tus_metadata(c, upload->metadata, "filename", FILE_NAME_MAX),
                                        .alt_text = tus_metadata(c, upload->metadata, "alt_text", ALT_TEXT_MAX),
                                        .size_bytes = upload->length,
                                        .upload_sha256 = out->blob.name};
        return SN_OK;
}
