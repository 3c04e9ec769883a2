/* Proving who one is by a passkey: for a log-in, as second factor, for a step-up. */
#ifndef SERVICES_USER_PASSKEY_USE_H
#define SERVICES_USER_PASSKEY_USE_H

#include "db/db.h"
#include "services/user/user.rpc.h"

#define PASSKEY_CHALLENGE "passkey-challenge" /* the purpose of its short token */

struct passkey_proof {
        const UserFactors__PasskeyAssertion *assertion;
        const char *user_id;     /* whose it must be; "": anybody's */
        bool needs_verification; /* where nothing else is proved: the authenticator asked for a PIN or a finger */
};

/* At the beginning of a transaction, which uses up the challenge and moves the counter. *user_id: whose it is. Refused:
 *   SN_INVALID_ARGUMENT   passkey_malformed, origin_wrong
 *   SN_UNAUTHENTICATED    challenge_invalid   not made here, used, or older than five minutes
 *                         passkey_unknown     nobody's, or not this member's
 *                         passkey_wrong       not signed by it, for this network, by its owner
 *                         passkey_cloned      its counter went back: somebody has a copy; the transaction is over, and
 *                                             the audit log has it */
SN_CHECKED sn_status passkey_use(struct rpc_call *c, struct db_tx **tx, const struct passkey_proof *proof,
                                 const char **user_id);

#endif
