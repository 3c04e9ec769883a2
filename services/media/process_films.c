/* Owns the processing queue of videos and sounds. Each may take minutes, so pictures do not wait for them, and the
 * lease is renewed while the child works. */
#include "services/media/process.h"
#include "services/media/store.h"

enum { END_MS = 60000 /* to store the results */ };

/* Uses a call of its own, since the job's has less time than a film may take. */
static sn_status process_film(struct rpc_call *c, bool *more)
{
        const struct process_lane lane = {.is_long = true,
                                          .wait_ms = media_limits.film_s * 1000,
                                          .limits = {.cpu_s = 2 * media_limits.film_s,
                                                     .video_s = media_limits.video_s,
                                                     .audio_s = media_limits.audio_s,
                                                     .side = media_limits.side,
                                                     .video_side = media_limits.video_side,
                                                     .decoders = media_limits.decoders}};
        CLEANUP(rpc_call_free_p) struct rpc_call *own = rpc_call_new_background(c->service, lane.wait_ms + END_MS);

        return media_pass_on(c, own, process_one(own, &lane, more));
}

static sn_status next_due(struct rpc_call *c, int64_t *wait_ms)
{
        return process_next(c, true, wait_ms);
}

const struct service_job media_process_films = {
    .name = "process_films", .every_s = 30, .eager = true, .run = process_film, .next = next_due};
