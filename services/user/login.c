/* Owns logging in with a password. */
#include "services/user/user.h"

#include "services/user/login.h"

#include <string.h>
#include "auth/password.h"
#include "services/user/device_token.h"
#include "services/user/factors.h"
#include "services/user/login_limit.h"
#include "services/user/login_name.h"
#include "services/user/session.h"
#include "services/user/store.h"
#include "services/user/store_factors.h"
#include "services/user/store_passwords.h"

/* The login attempt, and what is known before the password is verified. */
struct attempt {
        struct login_try try;
        UserRows__Credentials credentials;
        UserRows__LoginFailures failures;
        bool found; /* an account has this name */
};

static sn_status load_attempt(struct rpc_call *c, const User__LogInRequest *in, struct attempt *a)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *key = login_name_key(c->arena, in->login);

        *a = (struct attempt){
            .credentials = USER_ROWS__CREDENTIALS__INIT,
            .failures = USER_ROWS__LOGIN_FAILURES__INIT,
            .try = {.device_name = in->device_name, .network = login_limit_network(c->arena, c->client_address)}};
        login_name_hash(key, a->try.hash);
        TRY(db_read(c, &tx));
        TRY(store_credentials(tx, key, &a->credentials, &a->found));
        if (a->found) {
                (void)device_token_read(in->device_token, a->credentials.user->id, a->try.device);
        }
        return store_login_failures(tx, &a->try, &a->failures);
}

/* The same statements whether or not the account exists. */
static sn_status refuse_login(struct rpc_call *c, const struct attempt *a)
{
        const char *user_id = a->found ? a->credentials.user->id : "";

        TRY(DB_WRITE(c, tx, store_insert_login(tx, &a->try, user_id, false)));
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "credentials_wrong", NULL,
                             "the username, e-mail address or password is incorrect");
}

/* The hash uses weaker parameters than new ones, and the password is only available now. */
static sn_status raise_parameters(struct rpc_call *c, const struct attempt *a, const char *password)
{
        const char *old = a->credentials.password_hash;
        char *hash = NULL;

        if (!password_is_outdated(old)) {
                return SN_OK;
        }
        TRY(password_hash(c, password, &hash));
        return DB_WRITE(c, tx, store_replace_hash(tx, a->credentials.user->id, old, hash));
}

/* The password is correct, but not sufficient. */
static sn_status ask_second_factor(struct rpc_call *c, const struct attempt *a, const UserRows__Factors *factors)
{
        UserFactors__SecondFactorRequired *required = ARENA_NEW(c->arena, UserFactors__SecondFactorRequired);
        struct short_token token = {.epoch = a->credentials.epoch};

        user_factors__second_factor_required__init(required);
        memcpy(token.user, a->credentials.user->id, UUID_SIZE);
        memcpy(token.device, a->try.device, UUID_SIZE);
        required->login_token = short_token_make(c->arena, LOGIN_TOKEN, c->now_ms, &token);
        factors_methods(factors, c->arena, required);
        return rpc_fail_challenge(c, "second_factor_required", &required->base,
                                  "the password is correct; a second factor is required: POST /v1/auth/login/verify");
}

sn_status login_complete(struct rpc_call *c, struct db_tx **tx, const UserRows__Credentials *member,
                         const struct login_try *try, User__Login *out)
{
        struct session session;

        TRY(session_begin(*tx, member->user->id, try, &session));
        if (session.epoch != member->epoch) { /* read with the row locked */
                c->retry = true;
                return rpc_fail(c, SN_ABORTED, NULL, "the account has just changed; please try again");
        }
        TRY(session_answer(c, &session, 1, member->user, out));
        return db_commit(c, NULL, tx);
}

sn_status user_handle_log_in(struct rpc_call *c, const User__LogInRequest *in, User__Login *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__Factors factors = USER_ROWS__FACTORS__INIT;
        struct attempt a;

        TRY(load_attempt(c, in, &a));
        TRY(login_limit_check(c, &a.failures, a.try.device[0] != '\0'));
        if (!password_verify(a.found ? a.credentials.password_hash : "", in->password)) {
                return refuse_login(c, &a);
        }
        TRY(raise_parameters(c, &a, in->password));
        TRY(db_begin(c, &tx));
        /* No first factor can be added between this check and the session. */
        TRY(factors_lock(tx, a.credentials.user->id));
        TRY(store_factors(tx, a.credentials.user->id, &factors));
        if (factors_any(&factors)) {
                return ask_second_factor(c, &a, &factors);
        }
        return login_complete(c, &tx, &a.credentials, &a.try, out);
}
