/* Processing: what its two queues, of pictures and of videos and sounds, have in common. */
#ifndef SERVICES_MEDIA_PROCESS_H
#define SERVICES_MEDIA_PROCESS_H

#include "services/media/decode.h"
#include "services/media/media.h"

struct process_lane {
        bool is_long;
        int wait_ms; /* for the child */
        struct decode_limits limits;
};

extern const struct service_job media_process, media_process_films;
/* The jobs of `sonet serve media-worker`: while Redis is unreachable nobody tells it what has come, so they look often.
 */
enum { PROCESS_POLL_S = 1 };
extern const struct service_job process_pictures_polled, process_films_polled;

/* Wakes the jobs of this process, of whichever kind it has, for what others have put into the queues (wake.c). */
void wake_start(struct service *service);
void wake_stop(void);
/* Tells the other processes that a media waits, once the transaction has committed. */
void wake_others(struct db_tx *tx);

/* Processes the next one that is due, if there is one. The call must have more time than the child. */
SN_CHECKED sn_status process_one(struct rpc_call *c, const struct process_lane *lane, bool *more);

#endif
