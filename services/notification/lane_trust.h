/* Which push services have answered often enough to be trusted with most of a lane. Anybody can name any number of
 * services that never answer, so deliveries to services without trust are limited to a share of the lane. Not
 * thread-safe. Which had answered when the process started, the log of deliveries says. */
#ifndef SERVICES_NOTIFICATION_LANE_TRUST_H
#define SERVICES_NOTIFICATION_LANE_TRUST_H

#include <stdbool.h>
#include <stdint.h>
#include "push/push.h"
#include "rpc/rpc.h"
#include "services/notification/decide.h"

#define TRUST_REMEMBERED 64
#define TRUST_ANSWERS    20 /* without a failure since */

/* Zero-initialized: none has answered yet, or it is unknown. */
struct lane_trust {
        struct lane_answered {
                char origin[PUSH_ORIGIN_SIZE];
                int answers;
                int64_t used_us;
        } origins[TRUST_REMEMBERED];
        bool loaded;
};

/* Trusts those that the log of deliveries says have answered; only the first time. */
SN_CHECKED sn_status lane_trust_load(struct lane_trust *trust, struct rpc_call *c, enum channel channel);

bool lane_trust_has(const struct lane_trust *trust, const char *origin);
/* Records that it answered, if only with an error, or (failed) that it did not. */
void lane_trust_note(struct lane_trust *trust, const char *origin, bool failed);

#endif
