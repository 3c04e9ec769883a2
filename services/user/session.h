/* A session: starts with a log-in, has refresh tokens by generation, and ends for good. */
#ifndef SERVICES_USER_SESSION_H
#define SERVICES_USER_SESSION_H

#include "base/settings.h"
#include "db/db.h"
#include "services/user/refresh_token.h"
#include "services/user/user.rpc.h"

struct login_try;
struct role;

struct session {
        char id[UUID_SIZE];
        uint8_t salt[REFRESH_SALT_BYTES];
        char device[UUID_SIZE]; /* of its device_token */
        int64_t auth_time_s;    /* when its member last authenticated */
        /* The member's, as of this transaction, for access tokens. */
        int64_t epoch;
        const struct role *role;
};

/* Starts a session of a member in this transaction, on the known device or a new one, and adds it to the log-in
 * history. */
SN_CHECKED sn_status session_begin(struct db_tx *tx, const char *user_id, const struct login_try *try,
                                   struct session *session);
/* The response to a log-in: signs the access token. user is used as it is. */
SN_CHECKED sn_status session_answer(struct rpc_call *c, const struct session *session, uint32_t generation,
                                    User__User *user, User__Login *out);
/* An access token of the call's session after a step-up, which the session records, too. SN_UNAUTHENTICATED
 * (token_revoked) if it has ended. */
SN_CHECKED sn_status session_step_up(struct db_tx *tx, UserFactors__SteppedUp *out);
/* Ends a session; this process rejects its access tokens as soon as the transaction commits. */
SN_CHECKED sn_status session_end(struct db_tx *tx, const char *session_id, const char *user_id, bool *ended);
/* Ends all active sessions of a member but one (keep "": all). No log-in can slip in between this and the commit. */
SN_CHECKED sn_status session_end_others(struct db_tx *tx, const char *user_id, const char *keep, int64_t *ended);
/* Invalidates all access tokens of a member signed until now; refresh tokens of active sessions give new ones. A
 * second call in one transaction has no effect. Call it after session_end_others, so that streams of ended sessions are
 * told that they have ended, and not to refresh their tokens. */
SN_CHECKED sn_status session_raise_epoch(struct db_tx *tx, const char *user_id);
/* SESSION_DAYS, read before starting threads. */
void session_start(const struct settings *settings);
int64_t session_days(void);
/* Revokes recently ended sessions and raised epochs: at start, before the first request. */
SN_CHECKED sn_status session_load_ended(struct service *service);

#endif
