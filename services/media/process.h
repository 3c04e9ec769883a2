/* Processing: shared by the two queues, of pictures and of videos and sounds. */
#ifndef SERVICES_MEDIA_PROCESS_H
#define SERVICES_MEDIA_PROCESS_H

#include "services/media/decode.h"
#include "services/media/media.h"

struct process_lane {
        bool is_long;
        int wait_ms; /* how long to wait for the child */
        struct decode_limits limits;
};

extern const struct service_job media_process, media_process_films;
/* The jobs of `sonet serve media-worker`. They poll often, since no process announces uploads to them while Redis is
 * unreachable. */
enum { PROCESS_POLL_S = 1 };
extern const struct service_job process_pictures_polled, process_films_polled;

/* Wakes this process's jobs for what other processes have queued (wake.c). */
void wake_start(struct service *service);
void wake_stop(void);
/* Tells the other processes, once the transaction has committed, that a media is queued. */
void wake_others(struct db_tx *tx);

/* Processes the next due media, if any. The call needs a later deadline than the child. */
SN_CHECKED sn_status process_one(struct rpc_call *c, const struct process_lane *lane, bool *more);

#endif
