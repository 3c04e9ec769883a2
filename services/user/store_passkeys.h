/* The SQL on passkeys. */
#ifndef SERVICES_USER_STORE_PASSKEYS_H
#define SERVICES_USER_STORE_PASSKEYS_H

#include "db/db.h"
#include "services/user/user.rpc.h"
#include "services/user/user_rows.rpc.h"
#include "services/user/webauthn.h"

#define MAX_PASSKEYS 20 /* per member */

/* SN_ALREADY_EXISTS (passkey_known): the credential is registered already. */
SN_CHECKED sn_status store_insert_passkey(struct db_tx *tx, const char *id, const char *user_id, const char *name,
                                          const struct webauthn_key *key);
/* As shown to the owner. */
SN_CHECKED sn_status store_passkey(struct db_tx *tx, const char *id, const char *user_id, UserFactors__Passkey *out);
SN_CHECKED sn_status store_passkeys(struct db_tx *tx, const char *user_id, size_t *n, UserFactors__Passkey ***passkeys);
/* With their keys. */
SN_CHECKED sn_status store_stored_passkeys(struct db_tx *tx, const char *user_id, size_t *n,
                                           UserRows__StoredPasskey ***passkeys);
/* Of any member. Locks the row: its counter is compared and updated in one transaction. */
SN_CHECKED sn_status store_lock_passkey(struct db_tx *tx, const uint8_t *credential_id, size_t len,
                                        UserRows__StoredPasskey *out, bool *found);
SN_CHECKED sn_status store_touch_passkey(struct db_tx *tx, const char *id, int64_t sign_count);
/* SN_NOT_FOUND */
SN_CHECKED sn_status store_delete_passkey(struct db_tx *tx, const char *id, const char *user_id);

#endif
