/* The SQL for invites, in addition to invites.h. */
#ifndef SERVICES_USER_STORE_INVITES_H
#define SERVICES_USER_STORE_INVITES_H

#include "services/user/invites.h"
#include "services/user/mailed_token.h"

/* inviter_id "": the operator. */
SN_CHECKED sn_status store_insert_invite(struct db_tx *tx, const char *inviter_id,
                                         const uint8_t hash[MAILED_HASH_BYTES], int64_t uses, int64_t days,
                                         UserInvites__Invite *out);
/* *used is also false while the inviter is hidden: suspended, deactivated, waiting. */
SN_CHECKED sn_status store_use_invite(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES], bool *used);
SN_CHECKED sn_status store_revoke_invite(struct db_tx *tx, const char *inviter_id, const char *id, bool *revoked);
/* All invites of an inviter. */
SN_CHECKED sn_status store_revoke_invites(struct db_tx *tx, const char *inviter_id);
/* How many accounts the inviter's invites of the last days may admit, including used ones. */
SN_CHECKED sn_status store_invited_lately(struct db_tx *tx, const char *inviter_id, int64_t days, int64_t *uses);
/* One portion of those that expired long ago. */
SN_CHECKED sn_status store_cleanup_invites(struct rpc_call *c, bool *more);

#endif
