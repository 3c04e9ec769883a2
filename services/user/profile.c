/* Owns reading and changing profiles. */
#include "services/user/profile.h"

#include "services/user/authors.h"
#include "services/user/display_name.h"
#include "services/user/search.h"
#include "services/user/store.h"
#include "services/user/store_profiles.h"
#include "services/user/user.h"
#include "services/user/username.h"

static sn_status add_profile(struct db_tx *tx, User__User *user)
{
        user->profile = ARENA_NEW(db_arena(tx), UserProfiles__Profile);
        user_profiles__profile__init(user->profile);
        return store_profile(tx, user->id, user->profile);
}

/* The account was just suspended or erased: the token will be invalidated within a second. */
sn_status profile_read_me(struct db_tx *tx, User__User *out)
{
        struct rpc_call *c = db_call(tx);
        sn_status status = store_user(tx, c->actor, out);

        if (status == SN_NOT_FOUND) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "token_outdated", NULL,
                                     "this account can no longer be used");
        }
        return status == SN_OK ? add_profile(tx, out) : status;
}

sn_status user_handle_get_me(struct rpc_call *c, const User__GetMeRequest *in, User__User *out)
{
        return DB_READ(c, tx, profile_read_me(tx, out));
}

sn_status user_handle_update_me(struct rpc_call *c, const User__UpdateMeRequest *in, User__User *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool name = in->display_name_presence_case == USER__UPDATE_ME_REQUEST__DISPLAY_NAME_PRESENCE_DISPLAY_NAME;
        const char *display_name = name ? display_name_clean(c->arena, in->display_name) : NULL;
        bool bio = in->bio_presence_case == USER__UPDATE_ME_REQUEST__BIO_PRESENCE_BIO;

        TRY(db_begin(c, &tx));
        TRY(store_update_profile(tx, c->actor, display_name, bio ? in->bio : NULL));
        TRY(profile_read_me(tx, out));
        if (name) {
                TRY(search_index_names(tx, out->id, out->display_name));
        }
        authors_changed(tx, c->actor);
        return db_commit(c, NULL, &tx);
}

void profile_hide_private(const struct rpc_call *c, User__User *user)
{
        if (!uuid_equal(user->id, c->actor)) {
                user->email = (char *)protobuf_c_empty_string;
                user->counts = user->private_ ? NULL : user->counts;
                if (user->profile != NULL) {
                        user->profile->birthday = (char *)protobuf_c_empty_string;
                }
        }
}

sn_status user_handle_get_user(struct rpc_call *c, const User__GetUserRequest *in, User__User *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_read(c, &tx));
        TRY(uuid_valid(in->id) ? store_shown_user(tx, in->id, out)
                               : store_shown_user_by_name(tx, username_key_shown(c->arena, in->id), out));
        TRY(add_profile(tx, out));
        profile_hide_private(c, out);
        return SN_OK;
}
