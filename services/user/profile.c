/* Owns reading, changing and finding profiles. */
#include "services/user/user.h"

#include <string.h>
#include "auth/cursor.h"
#include "services/user/authors.h"
#include "services/user/display_name.h"
#include "services/user/store.h"
#include "services/user/username.h"

sn_status user_handle_get_me(struct rpc_call *c, const User__GetMeRequest *in, User__User *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_read(c, &tx));
        return store_user(tx, c->actor, out);
}

sn_status user_handle_update_me(struct rpc_call *c, const User__UpdateMeRequest *in, User__User *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        bool name = in->display_name_presence_case == USER__UPDATE_ME_REQUEST__DISPLAY_NAME_PRESENCE_DISPLAY_NAME;
        char *display_name = NULL;
        bool bio = in->bio_presence_case == USER__UPDATE_ME_REQUEST__BIO_PRESENCE_BIO;

        if (name) {
                TRY(display_name_clean(c, in->display_name, &display_name));
        }
        TRY(db_begin(c, &tx));
        TRY(store_update_profile(tx, c->actor, display_name, bio ? in->bio : NULL));
        TRY(store_user(tx, c->actor, out));
        authors_changed(tx, c->actor);
        return db_commit(c, NULL, &tx);
}

/* The e-mail address is the member's own business. */
static void hide_private(struct rpc_call *c, User__User *user)
{
        if (!uuid_equal(user->id, c->actor)) {
                user->email = (char *)protobuf_c_empty_string;
        }
}

sn_status user_handle_get_user(struct rpc_call *c, const User__GetUserRequest *in, User__User *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_read(c, &tx));
        if (uuid_valid(in->id)) {
                TRY(store_user(tx, in->id, out));
        } else {
                TRY(store_user_by_name(tx, username_key_shown(c->arena, in->id), out));
        }
        hide_private(c, out);
        return SN_OK;
}

static char *cursor_after(struct rpc_call *c, const char *query, const User__User *last)
{
        struct cursor position = {0};

        memcpy(position.id, last->id, UUID_SIZE);
        return cursor_encode(c, query, &position);
}

sn_status user_handle_find_users(struct rpc_call *c, const User__FindUsersRequest *in, User__UserList *out)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;
        char *key = username_key(c->arena, in->query);
        size_t limit = page_limit(in->limit);
        struct cursor position;

        TRY(cursor_decode(c, key, in->cursor, &position));
        TRY(db_read(c, &tx));
        TRY(store_find_users(tx, key, position.id, limit + 1, &out->n_items, &out->items));
        if (out->n_items > limit) {
                out->n_items = limit;
                out->next_cursor = cursor_after(c, key, out->items[limit - 1]);
        }
        for (size_t i = 0; i < out->n_items; i++) {
                hide_private(c, out->items[i]);
        }
        return SN_OK;
}
