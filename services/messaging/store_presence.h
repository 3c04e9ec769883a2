/* The SQL on who is here. */
#ifndef SERVICES_MESSAGING_STORE_PRESENCE_H
#define SERVICES_MESSAGING_STORE_PRESENCE_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* The actor is here, for a minute. *tell: the others were not told within the last 20 seconds. */
SN_CHECKED sn_status presence_store_put(struct db_tx *tx, bool *tell);
/* The actor is here no more. *tell: they were. */
SN_CHECKED sn_status presence_store_end(struct db_tx *tx, bool *tell);
/* As if they had never been here. */
SN_CHECKED sn_status presence_store_forget(struct db_tx *tx);
/* Those of these members who were ever here, in the order asked. */
SN_CHECKED sn_status presence_store_list(struct db_tx *tx, char *const *ids, size_t n, size_t *n_found,
                                         Messaging__Presence ***found);
/* With whom a member has a direct chat, by id, at most limit. */
SN_CHECKED sn_status presence_store_peers(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);

#endif
