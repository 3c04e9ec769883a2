/* The SQL on who is typing. */
#ifndef SERVICES_MESSAGING_STORE_TYPING_H
#define SERVICES_MESSAGING_STORE_TYPING_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define TYPING_MAX 50

/* The actor is typing, for six seconds. *tell: the others were not told within the last two. */
SN_CHECKED sn_status typing_store_put(struct db_tx *tx, const char *chat_id, bool *tell);
/* Who else is typing, at most TYPING_MAX. */
SN_CHECKED sn_status typing_store_list(struct db_tx *tx, const char *chat_id, size_t *n, char ***user_ids);
/* Deletes those who have stopped. */
SN_CHECKED sn_status typing_store_sweep(struct db_tx *tx);

#endif
