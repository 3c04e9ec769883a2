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

/* For the jobs of `sonet serve media-worker`, which poll often since uploads are not announced to other processes. */
enum { PROCESS_POLL_S = 1 };
extern const struct service_job process_pictures_polled, process_films_polled;

/* Processes the next due media, if any. The call needs a later deadline than the child. */
SN_CHECKED sn_status process_one(struct rpc_call *c, const struct process_lane *lane, bool *more);

#endif
