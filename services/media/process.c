/* Owns the queue of media to process: claims one under a lease, has it decoded by a child, and stores the result.
 * When the process is killed in between, the work is repeated after the lease. */
#include "services/media/media.h"

#include <math.h>
#include <unistd.h>
#include "base/log.h"
#include "services/media/blobs.h"
#include "services/media/blocks.h"
#include "services/media/decode.h"
#include "services/media/store.h"
#include "services/media/store_blocks.h"

/* Time for the child: a third of what a job has, so that there is some to keep what it made, or why it failed. */
enum { ATTEMPTS_MAX = 3, CHILD_MS = 20000, POSTPONE_MS = 5000 };

static const char *const names[DECODE_N_OUTPUTS] = {"original", "large", "medium", "small", "thumb"};

/* --- the end --- */

static sn_status keep_blobs(struct db_tx *tx, const char *media_id, const struct decoded *d,
                            const struct staged_blob *blobs)
{
        for (int i = DECODE_LARGE; i < DECODE_N_OUTPUTS; i++) {
                TRY(blob_publish(tx, &blobs[i]));
                TRY(store_insert_variant(tx, media_id,
                                         &(struct new_variant){names[i], "image/webp", d->files[i].width,
                                                               d->files[i].height, blobs[i].size_bytes,
                                                               blobs[i].name}));
        }
        return blob_publish(tx, &blobs[DECODE_ORIGINAL]);
}

static sn_status keep_ready(struct db_tx *tx, const MediaRows__StoredMedia *row, const struct decoded *d,
                            const struct staged_blob *blobs)
{
        const char *name = blobs[DECODE_ORIGINAL].name;

        TRY(store_delete_variants(tx, row->id));
        TRY(keep_blobs(tx, row->id, d, blobs));
        TRY(store_media_ready(
            tx, row->id,
            &(struct processed_media){d->width, d->height, d->blurhash, d->dominant_color, name, d->perceptual_hash}));
        return media_emit(tx, EVENT_MEDIA_READY, row);
}

/* The media may have been deleted meanwhile: then nothing is stored. One whose focus was changed is shown with the
 * old crop until its next generation is done. */
static sn_status keep(struct rpc_call *c, const MediaRows__DueMedia *job, const struct decoded *d,
                      const struct staged_blob *blobs)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const MediaRows__StoredMedia *row = job->stored;
        enum job_state state = JOB_GONE;
        bool is_blocked = false;

        TRY(db_begin(c, &tx));
        TRY(store_finish_job(tx, job, &state));
        TRY(block_store_has(tx, blobs[DECODE_ORIGINAL].name, d->perceptual_hash, &is_blocked));
        if (state != JOB_GONE && is_blocked) {
                TRY(media_block(tx, row));
        } else if (state != JOB_GONE) {
                TRY(keep_ready(tx, row, d, blobs));
        }
        return db_commit(c, NULL, &tx);
}

static sn_status fail_media(struct rpc_call *c, const MediaRows__DueMedia *job, const char *reason)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        enum job_state state = JOB_GONE;

        TRY(db_begin(c, &tx));
        TRY(store_finish_job(tx, job, &state));
        if (state == JOB_DONE) { /* otherwise somebody else has done it, and it may be ready, or does it again */
                TRY(store_media_failed(tx, job->stored->id, reason));
                TRY(media_emit(tx, EVENT_MEDIA_FAILED, job->stored));
        }
        return db_commit(c, NULL, &tx);
}

/* --- the work --- */

static sn_status process(struct rpc_call *c, const MediaRows__DueMedia *job)
{
        const MediaRows__StoredMedia *row = job->stored;
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);
        struct staged_blob blobs[DECODE_N_OUTPUTS];
        int fd = -1;

        TRY(blob_open(c, row->content_sha256[0] != '\0' ? row->content_sha256 : row->upload_sha256, &fd));
        sn_status status =
            decode_picture(c,
                           &(struct decode_request){.fd = fd,
                                                    .mime_type = row->media->mime_type,
                                                    .focus_x = (int32_t)lround(row->media->focus_x * 1000000),
                                                    .focus_y = (int32_t)lround(row->media->focus_y * 1000000),
                                                    .wait_ms = CHILD_MS},
                           d);
        close(fd);
        TRY(status);
        if (d->reason[0] != '\0') {
                return fail_media(c, job, d->reason);
        }
        for (int i = 0; i < DECODE_N_OUTPUTS; i++) {
                TRY(blob_stage(c, d->files[i].fd, &blobs[i]));
        }
        return keep(c, job, d, blobs);
}

/* A fault of the server says nothing about the media: the attempt does not count, and is repeated. The job's call
 * may have no time left. */
static void postpone(struct rpc_call *c, const MediaRows__DueMedia *job)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *own = rpc_call_new_background(c->service, POSTPONE_MS);
        sn_status status = DB_WRITE(own, tx, store_postpone_job(tx, job));

        if (status != SN_OK) {
                log_event(LOG_LEVEL_WARN, "a media that could not be processed is tried again after its lease",
                          LOG_STR("sonet.code", sn_status_name(status)));
        }
}

static sn_status process_one(struct rpc_call *c, bool *more)
{
        MediaRows__DueMedia due = MEDIA_ROWS__DUE_MEDIA__INIT;

        TRY(DB_WRITE(c, tx, store_take_job(tx, &due, more)));
        if (!*more) {
                return SN_OK;
        }
        if (due.attempts > ATTEMPTS_MAX) {
                return fail_media(c, &due, "it could not be processed");
        }
        sn_status status = process(c, &due);
        if (status != SN_OK) {
                postpone(c, &due);
        }
        return status;
}

static sn_status next_due(struct rpc_call *c, int64_t *wait_ms)
{
        return DB_READ(c, tx, store_next_job(tx, wait_ms));
}

const struct service_job media_process = {.name = "process_media", .every_s = 30, .run = process_one, .next = next_due};

sn_status process_later(struct db_tx *tx, const char *media_id)
{
        TRY(store_insert_job(tx, media_id));
        jobs_announce(tx, &media_process);
        return SN_OK;
}
