/* Owns logging in with a password. */
#include "services/user/user.h"

#include "auth/password.h"
#include "services/user/session.h"
#include "services/user/store.h"
#include "services/user/username.h"

#define FAILURES_MAX 10

static sn_status load(struct rpc_call *c, const char *login, UserRows__Credentials *credentials, bool *found)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_read(c, &tx));
        return store_credentials(tx, username_key(c->arena, login), c->client_address, credentials, found);
}

static sn_status refuse(struct rpc_call *c, const UserRows__Credentials *credentials, bool found)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        if (found) {
                TRY(db_begin(c, &tx));
                TRY(store_insert_login(tx, credentials->user->id, false, c->client_address, c->user_agent));
                TRY(db_commit(c, NULL, &tx));
        }
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "credentials_wrong", NULL,
                             "the username, e-mail address or password is wrong");
}

static sn_status begin(struct rpc_call *c, const char *user_id, struct session *session)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(session_begin(tx, user_id, session));
        return db_commit(c, NULL, &tx);
}

/* A member that does not exist costs as much time as a wrong password. */
sn_status user_handle_log_in(struct rpc_call *c, const User__LogInRequest *in, User__Login *out)
{
        UserRows__Credentials credentials = USER_ROWS__CREDENTIALS__INIT;
        struct session session;
        bool found = false;

        TRY(load(c, in->login, &credentials, &found));
        if (found && credentials.failures >= FAILURES_MAX) {
                sn_status status = rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_many_failures", NULL,
                                                 "too many wrong passwords from your address; try again in 15 minutes");

                c->problem.retry_after_s = 900;
                return status;
        }
        if (!password_verify(found ? credentials.password_hash : "", in->password)) {
                return refuse(c, &credentials, found);
        }
        TRY(begin(c, credentials.user->id, &session));
        return session_answer(c, &session, 1, credentials.user, credentials.epoch, out);
}
