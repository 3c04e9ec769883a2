/* Accounts that end: deactivated at once, erased some days later, back when their member logs in before. */
#ifndef SERVICES_USER_DEACTIVATION_H
#define SERVICES_USER_DEACTIVATION_H

#include "base/settings.h"
#include "db/db.h"

/* Nobody sees the account any more, all its sessions end, and its owner is told. Nothing when it is so already. */
SN_CHECKED sn_status account_deactivate(struct db_tx *tx, const char *user_id);
/* Whoever logs in has their account back, when it was deactivated. */
SN_CHECKED sn_status account_return(struct db_tx *tx, const char *user_id);

/* erase.c: nothing of the account stays, here in this transaction, in the other services when they hear of it. */
SN_CHECKED sn_status account_erase(struct db_tx *tx, const char *id);
/* erase.c: reads ACCOUNT_GRACE_DAYS; before any thread is started. */
void erase_start(const struct settings *settings);

#endif
