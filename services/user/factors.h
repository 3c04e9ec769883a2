/* Second factors: what a member must prove in addition to the password. */
#ifndef SERVICES_USER_FACTORS_H
#define SERVICES_USER_FACTORS_H

#include "db/db.h"
#include "services/user/user.rpc.h"
#include "services/user/user_rows.rpc.h"

struct factor_proof {
        const char *code;                             /* of the app, or a recovery code; "" or NULL: none */
        const UserFactors__PasskeyAssertion *passkey; /* NULL: none */
        const char *device;                           /* a known device of the member (device_token.h); "" if unknown */
};

bool factors_any(const UserRows__Factors *factors);
/* The factors that the member may use, for continuing a log-in. */
void factors_methods(const UserRows__Factors *factors, struct arena *arena, UserFactors__SecondFactorRequired *out);

/* Until the transaction ends, the member's factors do not change, and concurrent log-ins wait. Must be the first
 * lock taken (store_lock_running). */
SN_CHECKED sn_status factors_lock(struct db_tx *tx, const char *user_id);
/* The same for the call's member, whose session must be active (store_lock_running). */
SN_CHECKED sn_status factors_lock_own(struct db_tx *tx);

/* Verifies the second factor at the start of the transaction, which also marks it as used. SN_OK if the member has no
 * second factor. *method (may be NULL): the factor used, "totp"; "" for none. After a failure the transaction is over,
 * since the wrong attempt is recorded:
 *   SN_UNAUTHENTICATED     second_factor_required   none was given
 *                          code_wrong               wrong, or used before
 *                          and those of passkey_use (passkey_use.h)
 *   SN_RESOURCE_EXHAUSTED  too_many_failures        ten wrong ones within an hour; for a known device only its own
 *                                                   count */
SN_CHECKED sn_status factor_require(struct rpc_call *c, struct db_tx **tx, const char *user_id,
                                    const struct factor_proof *proof, const char **method);

/* Before a factor is added: if it is the first one, ends the member's other sessions. They have only proved a
 * password, which would be enough for some minutes to remove the factor again. */
SN_CHECKED sn_status factors_end_unproved(struct db_tx *tx);
/* Recovery codes are deleted with the last factor that they can replace. */
SN_CHECKED sn_status factors_drop_codes_of_none(struct db_tx *tx, const char *user_id);
/* Ten new recovery codes, replacing the old ones. */
SN_CHECKED sn_status factors_new_recovery_codes(struct db_tx *tx, const char *user_id, UserFactors__RecoveryCodes *out);

#endif
