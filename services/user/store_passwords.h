/* The SQL on passwords and the links that reset them. */
#ifndef SERVICES_USER_STORE_PASSWORDS_H
#define SERVICES_USER_STORE_PASSWORDS_H

#include "db/db.h"
#include "services/user/mailed_token.h"
#include "services/user/user_rows.rpc.h"

SN_CHECKED sn_status store_set_password(struct db_tx *tx, const char *user_id, const char *hash);
/* Rehashes the same password, unless it was changed concurrently. */
SN_CHECKED sn_status store_replace_hash(struct db_tx *tx, const char *user_id, const char *old, const char *hash);

/* Requests a link, once until the job has processed it. */
SN_CHECKED sn_status store_ask_reset(struct db_tx *tx, const char *email_key);
/* Locks unprocessed requests; user_id "" if no member has the address. limit: number of requests; one for an
 * unverified address is returned for each account that may be its owner's, the oldest five. */
SN_CHECKED sn_status store_asked_resets(struct db_tx *tx, size_t limit, size_t *n, UserRows__AskedReset ***resets);
SN_CHECKED sn_status store_drop_reset(struct db_tx *tx, const char *id);
/* Replaces the member's previous ones. */
SN_CHECKED sn_status store_insert_reset(struct db_tx *tx, const char *user_id, const uint8_t hash[MAILED_HASH_BYTES],
                                        int64_t life_s);
SN_CHECKED sn_status store_reset_of_token(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES],
                                          UserRows__AskedReset *out, bool *found);
/* Uses the token: *used is false if it was used before, or if another account has verified the address in the
 * meantime (then the transaction has failed). Also verifies the member's address. */
SN_CHECKED sn_status store_use_reset(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES], const char *user_id,
                                     bool *used);
/* Deletes all links of a member, whose address or password has changed. */
SN_CHECKED sn_status store_drop_resets(struct db_tx *tx, const char *user_id);
/* One portion of the expired ones. */
SN_CHECKED sn_status store_cleanup_resets(struct rpc_call *c, bool *more);

#endif
