/* The SQL on what members say of themselves, and on their former usernames. */
#ifndef SERVICES_USER_STORE_PROFILES_H
#define SERVICES_USER_STORE_PROFILES_H

#include "db/db.h"
#include "services/user/user_profiles.rpc.h"

/* Empty if the member has none. */
SN_CHECKED sn_status store_profile(struct db_tx *tx, const char *user_id, UserProfiles__Profile *out);
/* Replaces everything. */
SN_CHECKED sn_status store_put_profile(struct db_tx *tx, const char *user_id, const UserProfiles__Profile *profile);

/* Locks the member's row. days: since their username changed; -1: never. */
SN_CHECKED sn_status store_username_age(struct db_tx *tx, const char *user_id, int64_t *days, const char **key);
/* The previous one redirects to the member for 90 days. SN_ALREADY_EXISTS (username_taken) on field username. */
SN_CHECKED sn_status store_change_username(struct db_tx *tx, const char *user_id, const char *username,
                                           const char *key);
/* One portion of the expired ones. */
SN_CHECKED sn_status store_cleanup_usernames(struct rpc_call *c, bool *more);

/* --- pictures --- */

enum picture { PICTURE_AVATAR, PICTURE_HEADER };

/* Of the actor. media_id and use_id "": none. *old_use_id: the ID under which media_service knows the previous one;
 * "": none. */
SN_CHECKED sn_status store_set_picture(struct db_tx *tx, enum picture which, const char *media_id, const char *use_id,
                                       const char **old_use_id);
/* *user_id: the account from which it was removed; "": none. */
SN_CHECKED sn_status store_drop_picture(struct db_tx *tx, const char *media_id, const char **user_id);

#endif
