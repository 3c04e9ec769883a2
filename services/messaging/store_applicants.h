/* The SQL on who waits to be let into a chat. */
#ifndef SERVICES_MESSAGING_STORE_APPLICANTS_H
#define SERVICES_MESSAGING_STORE_APPLICANTS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* The actor does; again changes nothing. *added: they did not. */
SN_CHECKED sn_status applicant_store_add(struct db_tx *tx, const char *chat_id, bool *added);
/* In the order in which they came, at most limit, each with their id in `user`. */
SN_CHECKED sn_status applicant_store_list(struct db_tx *tx, const char *chat_id, size_t limit, size_t *n,
                                          Messaging__Applicant ***applicants);
SN_CHECKED sn_status applicant_store_remove(struct db_tx *tx, const char *chat_id, const char *user_id, bool *removed);

#endif
