/* Invites: who holds the token of one may register where REGISTRATION asks for that, and waits for no approval. */
#ifndef SERVICES_USER_INVITES_H
#define SERVICES_USER_INVITES_H

#include "db/db.h"
#include "services/page.h"
#include "services/user/user_invites.rpc.h"

/* A new invite in this transaction, of the call's actor, or of the operator when there is none. The answer has its
 * token, which nothing else keeps. */
SN_CHECKED sn_status invite_create(struct db_tx *tx, uint32_t uses, uint32_t days, UserInvites__NewInvite *out);
/* Takes one use. SN_FAILED_PRECONDITION (invite_invalid) on the field invite when there is none left, or it expired. */
SN_CHECKED sn_status invite_use(struct db_tx *tx, const char *token);
/* inviter_id "": the operator's. SN_NOT_FOUND when it is not one of the inviter's. */
SN_CHECKED sn_status invite_revoke(struct db_tx *tx, const char *inviter_id, const char *id);
/* Those that can still be used, beyond the scan's position. */
SN_CHECKED sn_status invite_list(struct db_tx *tx, const char *inviter_id, const struct page_scan *scan, size_t *n,
                                 UserInvites__Invite ***items);

#endif
