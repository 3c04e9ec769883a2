/* That an address is its member's: shown by a code or a link that was mailed there. */
#ifndef SERVICES_USER_EMAIL_VERIFICATION_H
#define SERVICES_USER_EMAIL_VERIFICATION_H

#include "db/db.h"

/* Mails a new code and a new link for an address to that address, in the member's language: they work for ten minutes,
 * and take the place of those before. email as email_clean gives it. SN_RESOURCE_EXHAUSTED beyond five an hour. */
SN_CHECKED sn_status email_verification_send(struct db_tx *tx, const char *user_id, const char *email);

#endif
