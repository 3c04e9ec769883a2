/* The queue of deliveries, each to one member on one channel, of one notification or of all that were held. It is
 * decided when they are due: what was read, hidden or turned off meanwhile is not sent, and nothing is sent within
 * quiet hours. What was pushed and is gone since is retracted: at once, since a retraction makes no noise. */
#ifndef SERVICES_NOTIFICATION_QUEUE_H
#define SERVICES_NOTIFICATION_QUEUE_H

#include "services/notification/arrivals.h"
#include "services/notification/notification_rows.rpc.h"
#include "services/notification/rules.h"
#include "services/notification/templates.h"

struct outgoing {
        const char *user_id;
        const char *target_id;           /* one subscription; NULL: all */
        int64_t attempts;                /* with this one */
        NotificationRows__Queued **rows; /* at least one */
        size_t n;
        const char *retracts;               /* the group key of one that is gone: nothing is shown. NULL: */
        Notification__Notification **shown; /* as the member may see them, at least one; the newest first */
        size_t n_shown;
        const struct rules *rules;
        const struct templates *templates; /* of the channel */
};

/* In the transaction that stores the arrivals: queues their deliveries on other channels. */
SN_CHECKED sn_status queue_add(struct db_tx *tx, const struct arrival *items, size_t n,
                               NotificationRows__Changed *const *rows, size_t n_rows);
/* Leases some of what is due for lease_ms. Calls other services. */
SN_CHECKED sn_status queue_claim(struct rpc_call *c, enum channel channel, int64_t limit, int64_t lease_ms,
                                 struct outgoing **deliveries, size_t *n);
/* In how many ms something is due: 0 for now, INT64_MAX when nothing waits. */
SN_CHECKED sn_status queue_next(struct rpc_call *c, enum channel channel, int64_t *wait_ms);
/* What one of the notifications of a delivery waited for. */
enum hold queue_hold_of(const struct outgoing *delivery, const char *notification_id);
/* Deletes finished deliveries. */
SN_CHECKED sn_status queue_done(struct db_tx *tx, const struct outgoing *const *deliveries, size_t n);
/* When to retry after so many failures, with jitter; not before the provider's Retry-After. */
int64_t queue_retry_ms(int64_t now_ms, int64_t attempts, int64_t retry_after_s);
#define QUEUE_ATTEMPTS_MAX 10 /* about a day */

#endif
