/* The SQL on second factors. */
#ifndef SERVICES_USER_STORE_FACTORS_H
#define SERVICES_USER_STORE_FACTORS_H

#include "db/db.h"
#include "services/user/recovery_code.h"
#include "services/user/short_token.h"
#include "services/user/totp.h"
#include "services/user/user.rpc.h"
#include "services/user/user_rows.rpc.h"

/* All of a member's; what there is not is empty. */
SN_CHECKED sn_status store_factors(struct db_tx *tx, const char *user_id, UserRows__Factors *out);
SN_CHECKED sn_status store_two_factor(struct db_tx *tx, const char *user_id, UserFactors__TwoFactor *out);

/* A new seed in place of one that was not confirmed. SN_FAILED_PRECONDITION (totp_enabled) when one was. */
SN_CHECKED sn_status store_begin_totp(struct db_tx *tx, const char *user_id, const uint8_t sealed[TOTP_SEALED_BYTES]);
/* SN_FAILED_PRECONDITION (totp_not_begun) when there is none. */
SN_CHECKED sn_status store_pending_totp(struct db_tx *tx, const char *user_id, UserRows__PendingTotp *out);
SN_CHECKED sn_status store_confirm_totp(struct db_tx *tx, const char *user_id, int64_t step);
/* *deleted: there was a confirmed one. */
SN_CHECKED sn_status store_delete_totp(struct db_tx *tx, const char *user_id, bool *deleted);
/* *used: nobody used a code of this step or a later one meanwhile. */
SN_CHECKED sn_status store_use_totp(struct db_tx *tx, const char *user_id, int64_t step, bool *used);

/* Takes the place of those that there were; n 0: there are none any more. */
SN_CHECKED sn_status store_set_recovery_codes(struct db_tx *tx, const char *user_id,
                                              const uint8_t (*hashes)[RECOVERY_HASH_BYTES], size_t n);
/* *used: it was one of the member's, and is none any more. */
SN_CHECKED sn_status store_use_recovery_code(struct db_tx *tx, const char *user_id,
                                             const uint8_t hash[RECOVERY_HASH_BYTES], bool *used);

/* All of them: the app, the passkeys, the recovery codes. */
SN_CHECKED sn_status store_delete_factors(struct db_tx *tx, const char *user_id);

/* *fresh: it was not used before. */
SN_CHECKED sn_status store_use_token(struct db_tx *tx, const struct short_token *token, bool *fresh);
/* One portion, in a transaction of its own. */
SN_CHECKED sn_status store_cleanup_tokens(struct rpc_call *c, bool *more);

#endif
