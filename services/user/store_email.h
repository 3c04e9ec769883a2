/* The SQL on members' addresses and what proves them. */
#ifndef SERVICES_USER_STORE_EMAIL_H
#define SERVICES_USER_STORE_EMAIL_H

#include "db/db.h"
#include "services/user/mailed_token.h"
#include "services/user/user.rpc.h"
#include "services/user/user_rows.rpc.h"

/* SN_NOT_FOUND for an unknown member. */
SN_CHECKED sn_status store_email_status(struct db_tx *tx, const char *user_id, User__EmailStatus *out);
/* The member who verified the address; "" if nobody did. */
SN_CHECKED sn_status store_email_owner(struct db_tx *tx, const char *email_key, const char **owner_id);

/* Those of the members who are visible and have verified their address. */
SN_CHECKED sn_status store_mail_recipients(struct db_tx *tx, char **ids, size_t n_ids, size_t *n,
                                           User__MailRecipient ***recipients);

struct email_verification {
        const char *user_id, *email, *email_key;
        uint8_t code_hash[MAILED_HASH_BYTES], token_hash[MAILED_HASH_BYTES];
};
/* Replaces the member's previous one. */
SN_CHECKED sn_status store_put_verification(struct db_tx *tx, const struct email_verification *v, int64_t life_s);
/* The pending verification, expired or not. */
SN_CHECKED sn_status store_verification(struct db_tx *tx, const char *user_id, UserRows__Verification *out,
                                        bool *found);
/* Counts one more attempt and returns the code to compare with; *found is false if no attempt is left. */
SN_CHECKED sn_status store_try_code(struct db_tx *tx, const char *user_id, int64_t tries, UserRows__Verification *out,
                                    bool *found);
SN_CHECKED sn_status store_verification_of_token(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES],
                                                 UserRows__Verification *out, bool *found);
/* From now on the address is the member's, and verified. SN_ALREADY_EXISTS on field email. */
SN_CHECKED sn_status store_set_verified_email(struct db_tx *tx, const UserRows__Verification *v);
/* Drops a pending change of address; verification of the current one continues. */
SN_CHECKED sn_status store_drop_email_change(struct db_tx *tx, const char *user_id);
SN_CHECKED sn_status store_drop_verification(struct db_tx *tx, const char *user_id);
/* One portion of those that expired a day ago. */
SN_CHECKED sn_status store_cleanup_verifications(struct rpc_call *c, bool *more);

#endif
