/* Owns the definition of media_service: its settings, storage, jobs and consumers, start and stop. */
#include "services/media/media.h"

#include <unistd.h>
#include "base/log.h"
#include "services/media/access_log.h"
#include "services/media/blobs.h"
#include "services/media/decode.h"
#include "services/media/describe.h"
#include "services/media/process.h"

struct media_limits media_limits;

enum { ABILITIES_MS = 15000, DEFAULT_WORKERS_MAX = 4 };

/* Logs once what cannot be processed; later refusals name it again. */
static void find_abilities(struct service *service)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, ABILITIES_MS);
        struct decode_abilities abilities = {0};

        if (decode_ask(c, &abilities) != SN_OK || !abilities.pictures) {
                log_event(LOG_LEVEL_WARN, "libvips cannot be loaded: media uploads are disabled");
        } else if (!abilities.films) {
                log_event(LOG_LEVEL_WARN, "FFmpeg's libraries cannot be loaded, or lack libx264, AAC, libmp3lame or "
                                          "libopus: videos and sounds are refused");
        }
        if (abilities.pictures && media_limits.makes_avif && !abilities.avif) {
                log_event(LOG_LEVEL_WARN,
                          "libvips cannot write AVIF (libheif lacks an AV1 encoder): picture variants are "
                          "made as WebP only");
        }
        media_limits.makes_avif = media_limits.makes_avif && abilities.avif;
        media_limits.processes_pictures = media_limits.takes_pictures = abilities.pictures;
        media_limits.processes_films = media_limits.takes_films = abilities.films && media_limits.decoders[0] != '\0';
}

/* The abilities of workers are unknown here; media that no worker can process wait. */
static void leave_it_to_workers(void)
{
        media_limits.takes_pictures = true;
        media_limits.takes_films = media_limits.decoders[0] != '\0';
}

/* A picture may take hundreds of MiB, so their number is limited even with many processors. */
static int workers_of(const struct settings *settings)
{
        long half = sysconf(_SC_NPROCESSORS_ONLN) / 2;

        return settings->media_workers > 0  ? (int)settings->media_workers
               : half > DEFAULT_WORKERS_MAX ? DEFAULT_WORKERS_MAX
               : half > 0                   ? (int)half
                                            : 1;
}

static void set_limits(const struct settings *settings)
{
        media_limits = (struct media_limits){.quota_bytes = settings->media_quota_bytes,
                                             .file_bytes = settings->media_file_bytes,
                                             .pending = settings->media_pending,
                                             .workers = workers_of(settings),
                                             .film_s = (int)settings->media_film_s,
                                             .video_s = (int)settings->media_video_s,
                                             .audio_s = (int)settings->media_audio_s,
                                             .side = (int)settings->media_side,
                                             .video_side = (int)settings->media_video_side,
                                             .decoders = settings->media_decoders,
                                             .makes_avif = settings->media_avif};
}

static void prepare_worker(struct service *service, const struct settings *settings)
{
        set_limits(settings);
        find_abilities(service);
}

static void prepare_media_service(struct service *service, const struct settings *settings)
{
        if (settings->media_process) {
                prepare_worker(service, settings);
        } else {
                set_limits(settings);
                leave_it_to_workers();
        }
}

static sn_status start_media(struct service *service, const struct settings *settings)
{
        const struct blobs_options blobs = blobs_options(settings);

        describe_start(settings->public_url);
        TRY(blobs_use(&blobs, true));
        wake_start(service);
        return SN_OK;
}

static void stop_worker(struct service *service)
{
        wake_stop();
}

enum { STOP_MS = 5000 };

/* Writes the accesses that are still in memory. */
static void stop_media_service(struct service *service)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, STOP_MS);

        wake_stop();
        if (access_log_flush(c) != SN_OK) {
                log_event(LOG_LEVEL_WARN, "accesses to media that are not public could not be written");
        }
}

sn_status media_emit(struct db_tx *tx, const char *type, const MediaRows__StoredMedia *row)
{
        return outbox_put(tx, &(struct outbox_event){
                                  .type = type, .aggregate_id = row->id, .actor_id = row->owner_id, .object_id = ""});
}

sn_status media_pass_on(struct rpc_call *c, const struct rpc_call *portion, sn_status status)
{
        const char *detail = portion->problem.detail != NULL ? portion->problem.detail : sn_status_name(status);

        return status == SN_OK ? SN_OK : rpc_fail(c, status, NULL, "%s", detail);
}

sn_status media_handle_read_outbox(struct rpc_call *c, const Sonet__Events__ReadOutboxRequest *in,
                                   Sonet__Events__ReadOutboxResponse *out)
{
        return bus_read_outbox(c, in, out);
}

sn_status media_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                   Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition media_service = {
    .name = "media",
    .contract = &media_contract,
    .handlers = &media_handlers,
    .schema = &media_schema,
    .consumers = media_consumers,
    .jobs = media_jobs,
    .exports = media_exports,
    .emits = true,
    .prepare = prepare_media_service,
    .start = start_media,
    .stop = stop_media_service,
};

static const struct bus_consumer *const no_consumers[] = {NULL};
static const struct service_job *const worker_jobs[] = {&media_process, &media_process_films, NULL};

const struct service_definition media_worker = {
    .name = "media",
    .contract = &media_contract,
    .handlers = &media_handlers,
    .schema = &media_schema,
    .consumers = no_consumers,
    .jobs = worker_jobs,
    .emits = true,
    .prepare = prepare_worker,
    .start = start_media,
    .stop = stop_worker,
};
