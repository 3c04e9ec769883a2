/* Lanes: what goes out by HTTP, each channel on a thread of its own, so that none waits for another's providers. */
#ifndef SERVICES_NOTIFICATION_LANE_H
#define SERVICES_NOTIFICATION_LANE_H

#include "services/notification/push.h"

enum lane_begun { LANE_STARTED, LANE_NOT_NOW, LANE_REFUSED };

/* How a channel goes out. */
struct lane_kind {
        const char *thread;
        const char *claimed, *sent, *settled; /* fault points */
        enum channel channel;
        bool (*is_used)(void); /* whether there is a provider; NULL: always */
        /* Where members are reached, a row for each browser, device or number. */
        sn_status (*targets)(struct db_tx *tx, char **users, size_t n_users, size_t *n,
                             NotificationRows__Subscription ***rows);
        enum lane_begun (*begin)(struct push_sender *sender, struct arena *arena, const struct outgoing *delivery,
                                 const NotificationRows__Subscription *to, void *tag);
        /* Does not reach its member any more. */
        sn_status (*forget)(struct db_tx *tx, const NotificationRows__Subscription *target, const char *user_id);
};
extern const struct lane_kind lane_kinds[];
extern const size_t lane_n_kinds;

/* Those that are used: a thread each. */
void lanes_start(struct service *service);
/* Settles what is done, and breaks off what is on its way, which is sent again later. */
void lanes_stop(void);
/* Once the transaction is committed. */
void lanes_wake(struct db_tx *tx);

#endif
