/* A session: begins with a login, holds refresh tokens by generation, ends for good. */
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
        int64_t auth_time_s;    /* when its member last proved who they are */
        /* Of the member, as they are in this transaction: what the access tokens say. */
        int64_t epoch;
        const struct role *role;
};

/* A new session of a member in this transaction, on the device of the try or a new one, with its entry in the history
 * of log-ins. */
SN_CHECKED sn_status session_begin(struct db_tx *tx, const char *user_id, const struct login_try *try,
                                   struct session *session);
/* The answer of a login: signs the access token. user is taken as it is. */
SN_CHECKED sn_status session_answer(struct rpc_call *c, const struct session *session, uint32_t generation,
                                    User__User *user, User__Login *out);
/* An access token of the call's session for who has just proved again who they are: the session keeps that, too.
 * SN_UNAUTHENTICATED (token_revoked) when it runs no longer. */
SN_CHECKED sn_status session_step_up(struct db_tx *tx, UserFactors__SteppedUp *out);
/* Ends a session; its access tokens are refused in this process as soon as the transaction commits. */
SN_CHECKED sn_status session_end(struct db_tx *tx, const char *session_id, const char *user_id, bool *ended);
/* Ends all running sessions of a member but one (keep ""; none). */
SN_CHECKED sn_status session_end_others(struct db_tx *tx, const char *user_id, const char *keep, int64_t *ended);
/* Ends all access tokens of a member that were signed until now; refresh tokens of running sessions give new ones. Of
 * two such calls in one transaction the first does it. Before session_end_others, so that no log-in falls between. */
SN_CHECKED sn_status session_raise_epoch(struct db_tx *tx, const char *user_id);
/* SESSION_DAYS, read before any thread is started. */
void session_start(const struct settings *settings);
int64_t session_days(void);
/* Puts sessions ended and epochs raised in the last minutes on the list of what is revoked: at start, before the first
 * request. */
SN_CHECKED sn_status session_load_ended(struct service *service);

#endif
