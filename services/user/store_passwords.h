/* The SQL on passwords and the links that reset them. */
#ifndef SERVICES_USER_STORE_PASSWORDS_H
#define SERVICES_USER_STORE_PASSWORDS_H

#include "db/db.h"
#include "services/user/mailed_token.h"
#include "services/user/user_rows.rpc.h"

SN_CHECKED sn_status store_set_password(struct db_tx *tx, const char *user_id, const char *hash);
/* The same password under another hash, unless it was changed meanwhile. */
SN_CHECKED sn_status store_replace_hash(struct db_tx *tx, const char *user_id, const char *old, const char *hash);

/* Asks for a link, once until the job has seen it. */
SN_CHECKED sn_status store_ask_reset(struct db_tx *tx, const char *email_key);
/* Requests that nobody has looked at, and locks them; user_id "" when no member has the address. limit: of requests;
 * one for an address that nobody has verified comes once for each account that may be its owner's, the oldest five. */
SN_CHECKED sn_status store_asked_resets(struct db_tx *tx, size_t limit, size_t *n, UserRows__AskedReset ***resets);
SN_CHECKED sn_status store_drop_reset(struct db_tx *tx, const char *id);
/* In place of those that the member had. */
SN_CHECKED sn_status store_insert_reset(struct db_tx *tx, const char *user_id, const uint8_t hash[MAILED_HASH_BYTES],
                                        int64_t life_s);
SN_CHECKED sn_status store_reset_of_token(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES],
                                          UserRows__AskedReset *out, bool *found);
/* Uses the token up: *used is false when somebody did before, or when another account verified the address meanwhile
 * (then the transaction has failed). The member's address is verified by it. */
SN_CHECKED sn_status store_use_reset(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES], const char *user_id,
                                     bool *used);
/* All links of a member: their address or their password is another one. */
SN_CHECKED sn_status store_drop_resets(struct db_tx *tx, const char *user_id);
/* One portion of those that expired. */
SN_CHECKED sn_status store_cleanup_resets(struct rpc_call *c, bool *more);

#endif
