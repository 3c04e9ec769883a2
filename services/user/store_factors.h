/* The SQL on second factors. */
#ifndef SERVICES_USER_STORE_FACTORS_H
#define SERVICES_USER_STORE_FACTORS_H

#include "db/db.h"
#include "services/user/recovery_code.h"
#include "services/user/short_token.h"
#include "services/user/totp.h"
#include "services/user/user.rpc.h"
#include "services/user/user_rows.rpc.h"

/* All factors of a member; empty where there is none. */
SN_CHECKED sn_status store_factors(struct db_tx *tx, const char *user_id, UserRows__Factors *out);
SN_CHECKED sn_status store_two_factor(struct db_tx *tx, const char *user_id, UserFactors__TwoFactor *out);

/* Replaces an unconfirmed seed. SN_FAILED_PRECONDITION (totp_enabled) if there is a confirmed one. */
SN_CHECKED sn_status store_begin_totp(struct db_tx *tx, const char *user_id, const uint8_t sealed[TOTP_SEALED_BYTES]);
/* SN_FAILED_PRECONDITION (totp_not_begun) if there is none. */
SN_CHECKED sn_status store_pending_totp(struct db_tx *tx, const char *user_id, UserRows__PendingTotp *out);
SN_CHECKED sn_status store_confirm_totp(struct db_tx *tx, const char *user_id, int64_t step);
/* *deleted: there was a confirmed one. */
SN_CHECKED sn_status store_delete_totp(struct db_tx *tx, const char *user_id, bool *deleted);
/* *used: no code of this step or a later one has been used concurrently. */
SN_CHECKED sn_status store_use_totp(struct db_tx *tx, const char *user_id, int64_t step, bool *used);

/* Replaces the existing ones; n 0: deletes them. */
SN_CHECKED sn_status store_set_recovery_codes(struct db_tx *tx, const char *user_id,
                                              const uint8_t (*hashes)[RECOVERY_HASH_BYTES], size_t n);
/* *used: it was one of the member's, and is now deleted. */
SN_CHECKED sn_status store_use_recovery_code(struct db_tx *tx, const char *user_id,
                                             const uint8_t hash[RECOVERY_HASH_BYTES], bool *used);

/* All of them: the app, the passkeys, the recovery codes. */
SN_CHECKED sn_status store_delete_factors(struct db_tx *tx, const char *user_id);

/* *fresh: it was not used before. */
SN_CHECKED sn_status store_use_token(struct db_tx *tx, const struct short_token *token, bool *fresh);
/* One portion, in its own transaction. */
SN_CHECKED sn_status store_cleanup_tokens(struct rpc_call *c, bool *more);

#endif
