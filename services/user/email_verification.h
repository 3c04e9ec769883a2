/* Verification of e-mail addresses, by a mailed code or link. */
#ifndef SERVICES_USER_EMAIL_VERIFICATION_H
#define SERVICES_USER_EMAIL_VERIFICATION_H

#include "db/db.h"

/* Mails a new code and link to the address, in the member's language: valid for ten minutes, they replace earlier
 * ones. email as returned by email_clean. SN_RESOURCE_EXHAUSTED above five per hour. */
SN_CHECKED sn_status email_verification_send(struct db_tx *tx, const char *user_id, const char *email);

#endif
