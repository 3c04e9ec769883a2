/* Owns registering. */
#include "services/user/user.h"

#include "auth/password.h"
#include "services/user/email_verification.h"
#include "services/user/login_limit.h"
#include "services/user/login_name.h"
#include "services/user/password_rules.h"
#include "services/user/registration.h"
#include "services/user/session.h"
#include "services/user/store.h"

static sn_status prepare_user(struct rpc_call *c, const User__RegisterRequest *in, struct new_user *user)
{
        char *hash = NULL;

        TRY(registration_check(c, in->invite));
        TRY(account_prepare(c, in->username, in->email, in->display_name, user));
        TRY(password_check(c, "password", in->password, in->username, user->email));
        TRY(password_hash(c, in->password, &hash));
        user->password_hash = hash;
        user->join_reason = in->reason;
        return SN_OK;
}

/* Registering is the first log-in, by username. */
static sn_status log_in(struct db_tx *tx, const struct new_user *user, User__Login *out)
{
        struct rpc_call *c = db_call(tx);
        struct login_try first = {.first = true, .network = login_limit_network(c->arena, c->client_address)};
        struct session session;

        login_name_hash(user->username_key, first.hash);
        TRY(session_begin(tx, user->id, &first, &session));
        return session_answer(c, &session, 1, out->user, out);
}

sn_status user_handle_register(struct rpc_call *c, const User__RegisterRequest *in, User__Login *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct new_user user;

        TRY(prepare_user(c, in, &user));
        out->user = ARENA_NEW(c->arena, User__User);
        user__user__init(out->user);
        TRY(db_begin(c, &tx));
        TRY(registration_admit(tx, in->invite, &user.waits));
        TRY(account_create(tx, &user));
        TRY(email_verification_send(tx, user.id, user.email));
        TRY(store_user(tx, user.id, out->user));
        out->awaits_approval = user.waits;
        if (!user.waits) {
                TRY(log_in(tx, &user, out));
        }
        return db_commit(c, NULL, &tx);
}
