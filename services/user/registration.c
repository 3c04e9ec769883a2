/* Owns who may register, and creating accounts. */
#include "services/user/registration.h"

#include <string.h>
#include "services/user/authors.h"
#include "services/user/display_name.h"
#include "services/user/email.h"
#include "services/user/invites.h"
#include "services/user/search.h"
#include "services/user/username.h"

static enum { OPEN, APPROVAL, INVITE, CLOSED } mode;
static int64_t member_invites;

void registration_start(const struct settings *settings)
{
        static const char *const modes[] = {[OPEN] = "open", [APPROVAL] = "approval", [INVITE] = "invite"};

        member_invites = settings->member_invites;
        for (mode = OPEN; mode < CLOSED && strcmp(settings->registration, modes[mode]) != 0;) {
                mode++;
        }
}

int64_t registration_member_invites(void)
{
        return member_invites;
}

sn_status registration_check(struct rpc_call *c, const char *invite)
{
        if (mode == CLOSED) {
                return rpc_fail_code(c, SN_FAILED_PRECONDITION, "registration_closed", NULL,
                                     "registration is closed on this network");
        }
        return mode != INVITE || invite[0] != '\0'
                   ? SN_OK
                   : rpc_fail_code(c, SN_FAILED_PRECONDITION, "invite_required", "invite",
                                   "is missing: joining this network requires an invite from a member");
}

sn_status registration_admit(struct db_tx *tx, const char *invite, bool *waits)
{
        *waits = mode == APPROVAL && invite[0] == '\0';
        return invite[0] != '\0' ? invite_use(tx, invite) : SN_OK;
}

sn_status account_prepare(struct rpc_call *c, const char *username, const char *email, const char *display_name,
                          struct new_user *out)
{
        const char *name = display_name_clean(c->arena, display_name);
        char *address = NULL;

        TRY(email_clean(c, email, &address));
        *out = (struct new_user){
            .id = uuid_new_in(c->arena),
            .username = username,
            .username_key = username_key(c->arena, username),
            .email = address,
            .email_key = email_key(c->arena, address),
            .display_name = name[0] != '\0' ? name : username,
            .join_reason = "",
        };
        TRY(username_check_free(c, out->username_key));
        /* Before the expensive hash: most rejections are cheap. */
        return DB_READ(c, tx, store_check_username_free(tx, out->username_key, ""));
}

sn_status account_create(struct db_tx *tx, const struct new_user *user)
{
        TRY(store_lock_username(tx, user->username_key));
        TRY(store_check_username_free(tx, user->username_key, ""));
        TRY(store_insert_user(tx, user));
        TRY(search_index_names(tx, user->id, user->display_name));
        authors_changed(tx, user->id);
        return SN_OK;
}
