/* Owns logging in with a password. */
#include "services/user/user.h"

#include <string.h>
#include "auth/password.h"
#include "services/user/device_token.h"
#include "services/user/login_limit.h"
#include "services/user/login_name.h"
#include "services/user/session.h"
#include "services/user/store.h"

/* Who tries, and what is known of them before the password is looked at. */
struct attempt {
        struct login_try try;
        UserRows__Credentials credentials;
        UserRows__LoginFailures failures;
        bool found; /* somebody has the name */
};

static sn_status load(struct rpc_call *c, const User__LogInRequest *in, struct attempt *a)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *key = login_name_key(c->arena, in->login);

        *a = (struct attempt){.credentials = USER_ROWS__CREDENTIALS__INIT,
                              .failures = USER_ROWS__LOGIN_FAILURES__INIT,
                              .try = {.network = login_limit_network(c->arena, c->client_address)}};
        login_name_hash(key, a->try.hash);
        TRY(db_read(c, &tx));
        TRY(store_credentials(tx, key, &a->credentials, &a->found));
        if (a->found) {
                (void)device_token_read(in->device_token, a->credentials.user->id, a->try.device);
        }
        return store_login_failures(tx, &a->try, &a->failures);
}

/* The same statements whether somebody has the name or not. */
static sn_status refuse_login(struct rpc_call *c, const struct attempt *a)
{
        const char *user_id = a->found ? a->credentials.user->id : "";

        TRY(DB_WRITE(c, tx, store_insert_login(tx, &a->try, user_id, false)));
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "credentials_wrong", NULL,
                             "the username, e-mail address or password is wrong");
}

sn_status user_handle_log_in(struct rpc_call *c, const User__LogInRequest *in, User__Login *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct session session;
        struct attempt a;

        TRY(load(c, in, &a));
        TRY(login_limit_check(c, &a.failures, a.try.device[0] != '\0'));
        if (!password_verify(a.found ? a.credentials.password_hash : "", in->password)) {
                return refuse_login(c, &a);
        }
        TRY(db_begin(c, &tx));
        TRY(session_begin(tx, a.credentials.user->id, &a.try, &session));
        TRY(session_answer(c, &session, 1, a.credentials.user, out));
        return db_commit(c, NULL, &tx);
}
