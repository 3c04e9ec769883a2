/* Owns changing a username: once in 30 days; the old one redirects to the member for 90. */
#include "services/user/user.h"

#include <inttypes.h>
#include "services/user/audit.h"
#include "services/user/authors.h"
#include "services/user/profile.h"
#include "services/user/search.h"
#include "services/user/store.h"
#include "services/user/store_profiles.h"
#include "services/user/username.h"

enum { DAYS = 30 };

static sn_status check_age(struct db_tx *tx, const char **old_key)
{
        struct rpc_call *c = db_call(tx);
        int64_t days = 0;

        TRY(store_username_age(tx, c->actor, &days, old_key));
        return days < 0 || days >= DAYS
                   ? SN_OK
                   : rpc_fail_code(c, SN_FAILED_PRECONDITION, "username_changed_lately", "username",
                                   "can be changed once in %d days; try again in %" PRId64 " days", DAYS, DAYS - days);
}

sn_status user_handle_change_username(struct rpc_call *c, const UserProfiles__ChangeUsernameRequest *in,
                                      User__User *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *key = username_key(c->arena, in->username), *old_key = "";

        TRY(username_check_free(c, key));
        TRY(db_begin(c, &tx));
        TRY(store_lock_username(tx, key));
        TRY(check_age(tx, &old_key));
        TRY(store_check_username_free(tx, key, c->actor));
        TRY(store_change_username(tx, c->actor, in->username, key));
        TRY(profile_read_me(tx, out));
        TRY(search_index_names(tx, c->actor, out->display_name));
        authors_changed(tx, c->actor);
        TRY(outbox_put(tx, &(struct outbox_event){.type = EVENT_USER_CHANGED, .aggregate_id = c->actor}));
        TRY(AUDIT(tx, .action = "user.username_changed", .before = AUDIT_VALUES("username", old_key),
                  .after = AUDIT_VALUES("username", in->username)));
        return db_commit(c, NULL, &tx);
}
