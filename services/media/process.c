/* Owns processing media: leases one, has it decoded by a child, and stores the result. If the process is killed in
 * between, the work is repeated after the lease expires. Has the queue of pictures; that of videos and sounds is in
 * process_films.c. */
#include "services/media/process.h"

#include <math.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "services/media/blobs.h"
#include "services/media/blocks.h"
#include "services/media/served.h"
#include "services/media/store.h"
#include "services/media/store_blocks.h"

/* The child gets a third of the job's time, which leaves time to store its results or why it failed. */
enum {
        ATTEMPTS_MAX = 3,
        CHILD_MS = 20000,
        CHILD_CPU_S = 30,
        GIVE_BACK_MS = 5000,
        RENEW_MS = 5000,
        RENEW_US = 20000000,
        TELL_US = 1000000,
};

/* The variants that are kept of each kind, besides the original. */
static const struct {
        const char *name, *mime_type;
} variants[][DECODE_N_OUTPUTS] = {
    [MEDIA__KIND__KIND_IMAGE] = {[DECODE_LARGE] = {"large", "image/webp"},
                                 [DECODE_MEDIUM] = {"medium", "image/webp"},
                                 [DECODE_SMALL] = {"small", "image/webp"},
                                 [DECODE_THUMB] = {"thumb", "image/webp"},
                                 /* names without URLs of their own */
                                 [DECODE_LARGE_AVIF] = {"large.avif", "image/avif"},
                                 [DECODE_MEDIUM_AVIF] = {"medium.avif", "image/avif"},
                                 [DECODE_SMALL_AVIF] = {"small.avif", "image/avif"},
                                 [DECODE_THUMB_AVIF] = {"thumb.avif", "image/avif"}},
    [MEDIA__KIND__KIND_VIDEO] = {[DECODE_MP4] = {"mp4", "video/mp4"}, [DECODE_POSTER] = {"poster", "image/webp"}},
    [MEDIA__KIND__KIND_AUDIO] = {[DECODE_MP3] = {"mp3", "audio/mpeg"}, [DECODE_OGG] = {"ogg", "audio/ogg"}},
};

/* A file uploaded as a video may be sound alone. */
static int kind_of(const MediaRows__StoredMedia *row, const struct decoded *d)
{
        return d->is_sound ? MEDIA__KIND__KIND_AUDIO : (int)row->media->kind;
}

static const char *type_of(const MediaRows__StoredMedia *row, const struct decoded *d)
{
        const char *type = row->media->mime_type;

        return !d->is_sound || strncmp(type, "video/", 6) != 0 ? type
               : strcmp(type, "video/webm") == 0               ? "audio/webm"
                                                               : "audio/mp4";
}

/* Sounds have no size, and always all their variants. */
static bool is_kept(int kind, int output, const struct decoded *d)
{
        bool is_optional = kind == MEDIA__KIND__KIND_IMAGE && output >= DECODE_LARGE_AVIF;

        return variants[kind][output].name != NULL && (!is_optional || d->files[output].width > 0);
}

/* --- storing results --- */

static sn_status keep_blobs(struct db_tx *tx, const MediaRows__StoredMedia *row, const struct decoded *d,
                            const struct staged_blob *blobs)
{
        int kind = kind_of(row, d);

        for (int i = DECODE_ORIGINAL + 1; i < DECODE_N_OUTPUTS; i++) {
                if (is_kept(kind, i, d)) {
                        TRY(blob_publish(tx, &blobs[i]));
                        TRY(store_insert_variant(tx, row->id,
                                                 &(struct new_variant){variants[kind][i].name,
                                                                       variants[kind][i].mime_type, d->files[i].width,
                                                                       d->files[i].height, blobs[i].size_bytes,
                                                                       blobs[i].name}));
                }
        }
        return blob_publish(tx, &blobs[DECODE_ORIGINAL]);
}

static sn_status keep_ready(struct db_tx *tx, const MediaRows__StoredMedia *row, const struct decoded *d,
                            const struct staged_blob *blobs)
{
        served_forget(tx);
        TRY(store_delete_variants(tx, row->id));
        TRY(keep_blobs(tx, row, d, blobs));
        TRY(store_media_ready(tx, row->id,
                              &(struct processed_media){.kind = kind_of(row, d),
                                                        .mime_type = type_of(row, d),
                                                        .width = d->width,
                                                        .height = d->height,
                                                        .duration_ms = d->duration_ms,
                                                        .blurhash = d->blurhash,
                                                        .dominant_color = d->dominant_color,
                                                        .content_sha256 = blobs[DECODE_ORIGINAL].name,
                                                        .perceptual_hash = d->perceptual_hash,
                                                        .waveform = d->waveform,
                                                        .n_waveform = d->n_waveform}));
        return media_emit(tx, EVENT_MEDIA_READY, row);
}

/* Stores nothing if the media was deleted meanwhile. If its focus was changed, it is shown with the old crop until the
 * next generation is done. */
static sn_status store_result(struct rpc_call *c, const MediaRows__DueMedia *job, const struct decoded *d,
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
        /* Otherwise another process did it, so it may be ready, or it is being processed again. */
        if (state == JOB_DONE) {
                TRY(store_media_failed(tx, job->stored->id, reason));
                TRY(media_emit(tx, EVENT_MEDIA_FAILED, job->stored));
        }
        return db_commit(c, NULL, &tx);
}

/* --- the work --- */

struct work {
        struct service *service;
        const MediaRows__DueMedia *job;
        int64_t renewed_us, told_us;
};

/* False if the process is stopping, or the media was deleted or queued again. A lease that cannot be renewed is
 * retried; at worst another process does the same work. */
static bool goes_on(void *context)
{
        struct work *w = context;
        bool there = true;

        if (jobs_stopping()) {
                return false;
        }
        if (clock_monotonic_us() - w->renewed_us < RENEW_US) {
                return true;
        }
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(w->service, RENEW_MS);
        if (DB_WRITE(c, tx, store_renew_job(tx, w->job, &there)) == SN_OK) {
                w->renewed_us = clock_monotonic_us();
        }
        return there;
}

static sn_status emit_progress(struct db_tx *tx, const MediaRows__StoredMedia *row, int percent)
{
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_MEDIA_PROGRESS,
                                                     .aggregate_id = row->id,
                                                     .actor_id = row->owner_id,
                                                     .object_id = "",
                                                     .version = percent});
}

/* Once a second at most. Does nothing more if it cannot be stored: the next one says as much. */
static void tell_progress(void *context, int percent)
{
        struct work *w = context;

        if (clock_monotonic_us() - w->told_us < TELL_US) {
                return;
        }
        w->told_us = clock_monotonic_us();
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(w->service, RENEW_MS);
        (void)!DB_WRITE(c, tx, emit_progress(tx, w->job->stored, percent));
}

static sn_status decode_one(struct rpc_call *c, const MediaRows__DueMedia *job, const struct process_lane *lane,
                            struct decoded *out)
{
        const MediaRows__StoredMedia *row = job->stored;
        struct work work = {c->service, job, clock_monotonic_us(), clock_monotonic_us()};
        int fd = -1;

        TRY(blob_open(c, row->content_sha256[0] != '\0' ? row->content_sha256 : row->upload_sha256, &fd));
        sn_status status = decode(c,
                                  &(struct decode_request){.fd = fd,
                                                           .mime_type = row->media->mime_type,
                                                           .focus_x = (int32_t)lround(row->media->focus_x * 1000000),
                                                           .focus_y = (int32_t)lround(row->media->focus_y * 1000000),
                                                           .wait_ms = lane->wait_ms,
                                                           .limits = lane->limits,
                                                           .goes_on = goes_on,
                                                           .progressed = tell_progress,
                                                           .context = &work},
                                  out);
        close(fd);
        return status;
}

static sn_status process_due(struct rpc_call *c, const MediaRows__DueMedia *job, const struct process_lane *lane)
{
        struct decoded *d = ARENA_NEW(c->arena, struct decoded);
        struct staged_blob blobs[DECODE_N_OUTPUTS];

        TRY(decode_one(c, job, lane, d));
        if (d->reason[0] != '\0') {
                return fail_media(c, job, d->reason);
        }
        int kind = kind_of(job->stored, d);
        for (int i = 0; i < DECODE_N_OUTPUTS; i++) {
                if (i == DECODE_ORIGINAL || is_kept(kind, i, d)) {
                        TRY(blob_stage(c, d->files[i].fd, NULL, &blobs[i]));
                }
        }
        return store_result(c, job, d, blobs);
}

static sn_status release_job(struct db_tx *tx, const MediaRows__DueMedia *job, bool is_long)
{
        TRY(store_release_job(tx, job));
        wake_announce(tx, is_long);
        return SN_OK;
}

/* A stop of this process or a server error says nothing about the media, so the attempt does not count and is repeated:
 * at once by another process, or later. Uses a call of its own, since the job's may have no time left. */
static void give_back(struct rpc_call *c, const MediaRows__DueMedia *job, bool is_long, bool stops)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *own = rpc_call_new_background(c->service, GIVE_BACK_MS);
        sn_status status =
            stops ? DB_WRITE(own, tx, release_job(tx, job, is_long)) : DB_WRITE(own, tx, store_postpone_job(tx, job));

        if (status != SN_OK) {
                log_event(LOG_LEVEL_WARN, "processing a media failed; it is retried when its lease expires",
                          LOG_STR("sonet.code", sn_status_name(status)));
        }
}

sn_status process_one(struct rpc_call *c, const struct process_lane *lane, bool *more)
{
        MediaRows__DueMedia due = MEDIA_ROWS__DUE_MEDIA__INIT;

        if (!(lane->is_long ? media_limits.processes_films : media_limits.processes_pictures)) {
                return SN_OK; /* left to workers */
        }
        TRY(DB_WRITE(c, tx, store_take_job(tx, lane->is_long, &due, more)));
        if (!*more) {
                return SN_OK;
        }
        if (due.attempts > ATTEMPTS_MAX) {
                return fail_media(c, &due, "it could not be processed");
        }
        sn_status status = process_due(c, &due, lane);
        if (status != SN_OK) {
                give_back(c, &due, lane->is_long, status == SN_CANCELLED);
        }
        return status == SN_CANCELLED ? SN_OK : status;
}

static sn_status process_picture(struct rpc_call *c, bool *more)
{
        const struct process_lane lane = {
            .wait_ms = CHILD_MS, .limits = {.cpu_s = CHILD_CPU_S, .decoders = "", .avif = media_limits.makes_avif}};

        return process_one(c, &lane, more);
}

static int at_a_time(void)
{
        return media_limits.processes_pictures ? media_limits.workers : 1;
}

sn_status process_next(struct rpc_call *c, bool is_long, int64_t *wait_ms)
{
        if (!(is_long ? media_limits.processes_films : media_limits.processes_pictures)) {
                return SN_OK;
        }
        *wait_ms = wake_poll_ms(is_long, is_long ? 1 : at_a_time(), *wait_ms);
        return DB_READ(c, tx, store_next_job(tx, is_long, wait_ms));
}

static sn_status next_due(struct rpc_call *c, int64_t *wait_ms)
{
        return process_next(c, false, wait_ms);
}

const struct service_job media_process = {.name = "process_media",
                                          .every_s = 30,
                                          .eager = true,
                                          .parallel = at_a_time,
                                          .run = process_picture,
                                          .next = next_due};

sn_status process_later(struct db_tx *tx, const char *media_id, int kind)
{
        TRY(store_insert_job(tx, media_id));
        wake_announce(tx, kind != MEDIA__KIND__KIND_IMAGE);
        return SN_OK;
}
