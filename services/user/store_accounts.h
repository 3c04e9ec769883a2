/* The SQL behind accounts.h. */
#ifndef SERVICES_USER_STORE_ACCOUNTS_H
#define SERVICES_USER_STORE_ACCOUNTS_H

#include "services/user/accounts.h"

/* By ID ("" for none), or by the key of a username or e-mail address (NULL for none). SN_NOT_FOUND;
 * SN_INVALID_ARGUMENT (account_ambiguous) for an address that several accounts share and none has verified. */
SN_CHECKED sn_status store_account(struct db_tx *tx, const char *id, const char *key, UserAdmin__Account *out);
SN_CHECKED sn_status store_set_role(struct db_tx *tx, const char *id, const char *role);
SN_CHECKED sn_status store_suspend(struct db_tx *tx, const char *id, const char *reason);
SN_CHECKED sn_status store_approve(struct db_tx *tx, const char *id);
SN_CHECKED sn_status store_unsuspend(struct db_tx *tx, const char *id);

#endif
