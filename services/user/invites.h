/* Invites: anyone with an invite's token may register where REGISTRATION requires one, without waiting for approval. */
#ifndef SERVICES_USER_INVITES_H
#define SERVICES_USER_INVITES_H

#include "db/db.h"
#include "services/page.h"
#include "services/user/user_invites.rpc.h"

/* A new invite in this transaction, by the call's actor, or by the operator if there is none. The response has its
 * token, which is not stored. */
SN_CHECKED sn_status invite_create(struct db_tx *tx, uint32_t uses, uint32_t days, UserInvites__NewInvite *out);
/* Takes one use. SN_FAILED_PRECONDITION (invite_invalid) on the field invite if there is none left, or it has
 * expired. */
SN_CHECKED sn_status invite_use(struct db_tx *tx, const char *token);
/* inviter_id "": the operator's. SN_NOT_FOUND if it is not one of the inviter's. */
SN_CHECKED sn_status invite_revoke(struct db_tx *tx, const char *inviter_id, const char *id);
/* Those that are still usable, beyond the scan's position. */
SN_CHECKED sn_status invite_list(struct db_tx *tx, const char *inviter_id, const struct page_scan *scan, size_t *n,
                                 UserInvites__Invite ***items);

#endif
