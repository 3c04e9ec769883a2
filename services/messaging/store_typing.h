/* The SQL of typing indicators. */
#ifndef SERVICES_MESSAGING_STORE_TYPING_H
#define SERVICES_MESSAGING_STORE_TYPING_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define TYPING_MAX 50

/* Marks the actor as typing for six seconds. *tell: others were not told within the last two. */
SN_CHECKED sn_status typing_store_put(struct db_tx *tx, const char *chat_id, bool *tell);
/* Other members who are typing, at most TYPING_MAX. */
SN_CHECKED sn_status typing_store_list(struct db_tx *tx, const char *chat_id, size_t *n, char ***user_ids);
/* Deletes expired indicators. */
SN_CHECKED sn_status typing_store_sweep(struct db_tx *tx);

#endif
