/* Lanes: threads that send deliveries over HTTP, one per channel, so that no channel waits for another's providers. */
#ifndef SERVICES_NOTIFICATION_LANE_H
#define SERVICES_NOTIFICATION_LANE_H

#include "services/notification/push.h"

enum lane_begun { LANE_STARTED, LANE_NOT_NOW, LANE_REFUSED };

/* How deliveries of a channel are sent. */
struct lane_kind {
        const char *thread;
        const char *claimed, *sent, *settled; /* fault points */
        enum channel channel;
        bool (*is_used)(void); /* whether a provider is configured; NULL: always */
        /* The members' targets: a row for each browser, device or number. */
        sn_status (*targets)(struct db_tx *tx, char **users, size_t n_users, size_t *n,
                             NotificationRows__Subscription ***rows);
        /* LANE_REFUSED: *why says why. */
        enum lane_begun (*begin)(struct push_sender *sender, struct arena *arena, const struct outgoing *delivery,
                                 const NotificationRows__Subscription *to, void *tag, const char **why);
        /* Deletes a target that no longer exists. */
        sn_status (*forget)(struct db_tx *tx, const NotificationRows__Subscription *target, const char *user_id);
};
extern const struct lane_kind lane_kinds[];
extern const size_t lane_n_kinds;

/* Starts a thread for each channel that is used. */
void lanes_start(struct service *service);
/* Settles what is done and aborts what is in flight, which is sent again later. */
void lanes_stop(void);
/* Wakes the lanes when the transaction commits. */
void lanes_wake(struct db_tx *tx);

#endif
