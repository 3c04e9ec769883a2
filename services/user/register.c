/* Owns registration. */
#include "services/user/user.h"

#include <string.h>
#include "auth/password.h"
#include "services/user/authors.h"
#include "services/user/display_name.h"
#include "services/user/email.h"
#include "services/user/email_verification.h"
#include "services/user/login_limit.h"
#include "services/user/login_name.h"
#include "services/user/password_rules.h"
#include "services/user/search.h"
#include "services/user/session.h"
#include "services/user/store.h"
#include "services/user/username.h"

static sn_status prepare(struct rpc_call *c, const User__RegisterRequest *in, struct new_user *user)
{
        char *hash = NULL, *display_name = NULL, *email = NULL;

        TRY(display_name_clean(c, in->display_name, &display_name));
        TRY(email_clean(c, in->email, &email));
        *user = (struct new_user){
            .id = uuid_new_in(c->arena),
            .username = in->username,
            .username_key = username_key(c->arena, in->username),
            .email = email,
            .email_key = email_key(c->arena, email),
            .display_name = display_name[0] != '\0' ? display_name : in->username,
        };
        TRY(username_check_free(c, user->username_key));
        TRY(password_check(c, "password", in->password, in->username, email));
        /* Before the costly hash: most refusals are cheap. The unique indexes decide in the end. */
        TRY(DB_READ(c, tx, store_check_free(tx, user->username_key, user->email_key)));
        TRY(password_hash(c, in->password, &hash));
        user->password_hash = hash;
        return SN_OK;
}

/* Registering is the first log-in, by username. */
static sn_status insert(struct rpc_call *c, const struct new_user *user, User__Login *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct login_try first = {.first = true, .network = login_limit_network(c->arena, c->client_address)};
        User__User *shown = ARENA_NEW(c->arena, User__User);
        struct session session;

        user__user__init(shown);
        login_name_hash(user->username_key, first.hash);
        TRY(db_begin(c, &tx));
        TRY(store_insert_user(tx, user));
        TRY(search_index_names(tx, user->id, user->display_name));
        authors_changed(tx, user->id);
        TRY(session_begin(tx, user->id, &first, &session));
        TRY(store_user(tx, user->id, shown));
        TRY(email_verification_send(tx, user->id, user->email));
        TRY(session_answer(c, &session, 1, shown, out));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_register(struct rpc_call *c, const User__RegisterRequest *in, User__Login *out)
{
        struct new_user user;

        TRY(prepare(c, in, &user));
        return insert(c, &user, out);
}
