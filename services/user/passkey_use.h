/* Authentication with a passkey: for a log-in, as second factor, for a step-up. */
#ifndef SERVICES_USER_PASSKEY_USE_H
#define SERVICES_USER_PASSKEY_USE_H

#include "db/db.h"
#include "services/user/user.rpc.h"

#define PASSKEY_CHALLENGE "passkey-challenge" /* the purpose of its short token */

struct passkey_proof {
        const UserFactors__PasskeyAssertion *assertion;
        const char *user_id;     /* the expected owner; "": any */
        bool needs_verification; /* if nothing else is proved: the authenticator must have asked for a PIN or
                                    fingerprint */
};

/* At the start of a transaction, which uses up the challenge and stores the counter. *user_id: the owner. Fails with:
 *   SN_INVALID_ARGUMENT   passkey_malformed, origin_wrong
 *   SN_UNAUTHENTICATED    challenge_invalid   not issued here, used, or older than five minutes
 *                         passkey_unknown     unknown, or not this member's
 *                         passkey_wrong       not signed by it for this network, or without its owner
 *                         passkey_cloned      its counter went backwards: there is a copy; the transaction is over, and
 *                                             the audit log has an entry */
SN_CHECKED sn_status passkey_use(struct rpc_call *c, struct db_tx **tx, const struct passkey_proof *proof,
                                 const char **user_id);

#endif
