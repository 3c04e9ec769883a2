/* Effects of deliveries: what was sent and undone has no second effect when it is done again. */
#ifndef SERVICES_NOTIFICATION_EFFECTS_H
#define SERVICES_NOTIFICATION_EFFECTS_H

#include "services/notification/queue.h"

/* Records that these were sent, for what was undone meanwhile. Call it after queue_done, in its transaction. */
SN_CHECKED sn_status effects_sent(struct db_tx *tx, enum channel channel, const struct outgoing *const *sent, size_t n);

#endif
