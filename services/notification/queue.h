/* The queue of deliveries, each to one member on one channel, of one notification or of all that were held. When a
 * delivery is due it is decided again: notifications that were read, hidden or turned off meanwhile are not sent, and
 * nothing is sent during quiet hours. Pushes of notifications that are gone are retracted at once, since a retraction
 * makes no noise. */
#ifndef SERVICES_NOTIFICATION_QUEUE_H
#define SERVICES_NOTIFICATION_QUEUE_H

#include "services/notification/arrivals.h"
#include "services/notification/notification_rows.rpc.h"
#include "services/notification/rules.h"
#include "services/notification/templates.h"

struct outgoing {
        const char *user_id;
        const char *target_id;           /* one subscription; NULL for all */
        int64_t attempts;                /* including this one */
        NotificationRows__Queued **rows; /* at least one */
        size_t n;
        const char *retracts; /* the group key of a notification that is gone: nothing is shown; NULL otherwise */
        Notification__Notification **shown; /* at least one, as the member may see them; newest first */
        size_t n_shown;
        NotificationRows__Stored **claimed; /* with all actors that they had when they were claimed */
        size_t n_claimed;
        const struct rules *rules;
        const struct templates *templates; /* those of the channel */
};

/* Queues deliveries of arrivals on channels other than the list, in the transaction that stores them. */
SN_CHECKED sn_status queue_add(struct db_tx *tx, const struct arrival *items, size_t n,
                               NotificationRows__Changed *const *rows, size_t n_rows);
/* Leases some due deliveries for lease_ms. Calls other services. */
SN_CHECKED sn_status queue_claim(struct rpc_call *c, enum channel channel, int64_t limit, int64_t lease_ms,
                                 struct outgoing **deliveries, size_t *n);
/* In how many ms the next delivery is due: 0 for now, INT64_MAX if there is none. */
SN_CHECKED sn_status queue_next(struct rpc_call *c, enum channel channel, int64_t *wait_ms);
/* What one of the notifications of a delivery waited for. */
enum hold queue_hold_of(const struct outgoing *delivery, const char *notification_id);
/* Deletes finished deliveries, and locks notifications that can be undone until the transaction ends. */
SN_CHECKED sn_status queue_done(struct db_tx *tx, const struct outgoing *const *deliveries, size_t n);
/* When to retry after so many failures, with jitter; not before the provider's Retry-After. */
int64_t queue_retry_ms(int64_t now_ms, int64_t attempts, int64_t retry_after_s);
#define QUEUE_ATTEMPTS_MAX 10 /* spread over about a day */

#endif
