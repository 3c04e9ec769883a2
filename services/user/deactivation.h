/* Accounts that end: deactivated at once, erased some days later, restored if the member logs in before that. */
#ifndef SERVICES_USER_DEACTIVATION_H
#define SERVICES_USER_DEACTIVATION_H

#include "base/settings.h"
#include "db/db.h"

/* After a change of whether others can see the account: emits user.hidden or user.shown. */
SN_CHECKED sn_status account_announce_shown(struct db_tx *tx, const char *user_id);
/* Hides the account, ends all its sessions, and informs its owner. Does nothing if it is deactivated already. */
SN_CHECKED sn_status account_deactivate(struct db_tx *tx, const char *user_id);
/* Logging in restores a deactivated account. */
SN_CHECKED sn_status account_return(struct db_tx *tx, const char *user_id);

/* erase.c: deletes everything about the account, here in this transaction, and in other services by event. */
SN_CHECKED sn_status account_erase(struct db_tx *tx, const char *id);
/* erase.c: reads ACCOUNT_GRACE_DAYS; call it before starting threads. */
void erase_start(const struct settings *settings);

#endif
