/* Second factors: what a member proves beside the password, wherever that counts. */
#ifndef SERVICES_USER_FACTORS_H
#define SERVICES_USER_FACTORS_H

#include "db/db.h"
#include "services/user/user.rpc.h"
#include "services/user/user_rows.rpc.h"

struct factor_proof {
        const char *code;                             /* of the app, or a recovery code; "" or NULL: none was given */
        const UserFactors__PasskeyAssertion *passkey; /* NULL: none was given */
        const char *device; /* that the member is known to use (device_token.h); "" when it is not known */
};

bool factors_any(const UserRows__Factors *factors);
/* What the member may prove it with, for a log-in that must go on. */
void factors_methods(const UserRows__Factors *factors, struct arena *arena, UserFactors__SecondFactorRequired *out);

/* Held until the transaction ends: the member's factors stay as they are, and who logs in meanwhile waits. The first of
 * all locks (store_lock_running). */
SN_CHECKED sn_status factors_lock(struct db_tx *tx, const char *user_id);
/* The same for those of the call's member, and its session goes on (store_lock_running). */
SN_CHECKED sn_status factors_lock_own(struct db_tx *tx);

/* Whoever has a second factor proves it here, at the beginning of the transaction: what is proved is used up with it.
 * SN_OK also when the member has none. *method (may be NULL): what it was proved with, "totp"; "" for none. Refused,
 * and then the transaction is over, since the wrong try counts:
 *   SN_UNAUTHENTICATED     second_factor_required   none was given
 *                          code_wrong               not right, or used before
 *                          and what passkey_use says (passkey_use.h)
 *   SN_RESOURCE_EXHAUSTED  too_many_failures        ten wrong ones within the hour; from a known device only its own
 *                                                   count */
SN_CHECKED sn_status factor_require(struct rpc_call *c, struct db_tx **tx, const char *user_id,
                                    const struct factor_proof *proof, const char **method);

/* Before a factor is added: when it is the first one, the member's other sessions end. They have proved a password,
 * which would be enough, for some minutes, to remove it again. */
SN_CHECKED sn_status factors_end_unproved(struct db_tx *tx);
/* Recovery codes go with the last factor that they stand in for. */
SN_CHECKED sn_status factors_drop_codes_of_none(struct db_tx *tx, const char *user_id);
/* Ten new recovery codes in place of those that there were. */
SN_CHECKED sn_status factors_new_recovery_codes(struct db_tx *tx, const char *user_id, UserFactors__RecoveryCodes *out);

#endif
