/* Deliveries that a lane has claimed together. They are sent independently, so that none waits for another.
 * Single-threaded. */
#ifndef SERVICES_NOTIFICATION_LANE_BATCH_H
#define SERVICES_NOTIFICATION_LANE_BATCH_H

#include "services/notification/lane.h"

enum sending_state { SENDING_WAITS, SENDING_STARTED, SENDING_DONE };

/* A message to one browser, device or number. */
struct sending {
        struct lane_delivery *delivery;
        const NotificationRows__Subscription *to;
        char origin[PUSH_ORIGIN_SIZE];
        enum sending_state state;
        int64_t started_us;
        bool stranger; /* to a push service that is not trusted yet */
        bool untried;  /* postponed without contacting the provider: the attempt does not count */
        struct push_result result;
};

struct lane_delivery {
        struct outgoing out;
        struct sending *sendings; /* one per target */
        size_t n, n_done;
        bool settled;
};

/* Deliveries claimed by one statement, in the arena of one call. */
struct lane_batch {
        struct rpc_call *c;
        const struct lane_kind *kind;
        int64_t claimed_us;
        int64_t start_until_us; /* whatever has not started by then is postponed */
        int64_t lease_until_us; /* from then on other processes may claim them */
        int64_t settled_us;
        struct lane_delivery *deliveries;
        size_t n, n_settled;
        struct lane_batch *next;
};

#define LANE_LEASE_MS 60000

/* Leases some due deliveries. *batch is NULL if nothing is due or nothing that was due is worth sending. */
SN_CHECKED sn_status lane_batch_claim(struct service *service, const struct lane_kind *kind, size_t limit,
                                      struct lane_batch **batch);
void lane_batch_free(struct lane_batch *batch);
/* Records the results of all deliveries that are done and not yet settled, in one transaction. */
SN_CHECKED sn_status lane_batch_settle(struct lane_batch *batch);

extern const char *const lane_outcome_names[PUSH_LATER + 1];

#endif
