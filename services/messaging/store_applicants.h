/* The SQL of applicants. */
#ifndef SERVICES_MESSAGING_STORE_APPLICANTS_H
#define SERVICES_MESSAGING_STORE_APPLICANTS_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* The actor applies; applying again changes nothing. *added: whether the application is new. */
SN_CHECKED sn_status applicant_store_add(struct db_tx *tx, const char *chat_id, bool *added);
/* In order of application, at most limit, each with the id in `user`. */
SN_CHECKED sn_status applicant_store_list(struct db_tx *tx, const char *chat_id, size_t limit, size_t *n,
                                          Messaging__Applicant ***applicants);
SN_CHECKED sn_status applicant_store_remove(struct db_tx *tx, const char *chat_id, const char *user_id, bool *removed);

#endif
