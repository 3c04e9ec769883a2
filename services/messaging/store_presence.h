/* The SQL of presence. */
#ifndef SERVICES_MESSAGING_STORE_PRESENCE_H
#define SERVICES_MESSAGING_STORE_PRESENCE_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* Marks the actor as online for a minute. *tell: others were not told within the last 20 seconds. */
SN_CHECKED sn_status presence_store_put(struct db_tx *tx, bool *tell);
/* Marks the actor as offline. *tell: they were online. */
SN_CHECKED sn_status presence_store_end(struct db_tx *tx, bool *tell);
/* Deletes the actor's presence. */
SN_CHECKED sn_status presence_store_forget(struct db_tx *tx);
/* Those of the members who were ever online, in the order requested. */
SN_CHECKED sn_status presence_store_list(struct db_tx *tx, char *const *ids, size_t n, size_t *n_found,
                                         Messaging__Presence ***found);
/* Members with whom a member has a direct chat, ordered by id, at most limit. */
SN_CHECKED sn_status presence_store_peers(struct db_tx *tx, const char *user_id, size_t limit, size_t *n, char ***ids);

#endif
