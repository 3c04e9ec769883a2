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

/* The jobs of the two queues, each in up to `parallel` slots. */
extern const struct service_job media_process, media_process_films;

/* Wakes this process's jobs for what other processes have queued (wake.c). */
void wake_start(struct service *service);
void wake_stop(void);
/* Once the transaction has committed, the job of the queue runs in this process, and another process is told, too. */
void wake_announce(struct db_tx *tx, bool is_long);
/* When an idle slot should look for media whose signals are lost, in ms: wait_ms, or sooner while Redis is unreachable.
 * n_slots: of the queue in this process. */
int64_t wake_poll_ms(bool is_long, int n_slots, int64_t wait_ms);

/* Processes the next due media, if any. The call needs a later deadline than the child. */
SN_CHECKED sn_status process_one(struct rpc_call *c, const struct process_lane *lane, bool *more);
/* When something of the queue is due: the `next` of both jobs. */
SN_CHECKED sn_status process_next(struct rpc_call *c, bool is_long, int64_t *wait_ms);

#endif
