/* Once an hour, ends sessions that have been unused for long, and deletes old sessions, log-ins, invites, former
 * usernames and addresses that were never verified. */
#include "services/user/user.h"

#include "services/user/store.h"
#include "services/user/store_email.h"
#include "services/user/store_invites.h"
#include "services/user/store_passwords.h"
#include "services/user/store_profiles.h"

static sn_status cleanup(struct rpc_call *c, bool *more)
{
        bool sessions = false, verifications = false, resets = false, invites = false, usernames = false;

        TRY(store_cleanup(c, &sessions));
        TRY(store_cleanup_verifications(c, &verifications));
        TRY(store_cleanup_resets(c, &resets));
        TRY(store_cleanup_invites(c, &invites));
        TRY(store_cleanup_usernames(c, &usernames));
        *more = sessions || verifications || resets || invites || usernames;
        return SN_OK;
}

const struct service_job user_cleanup = {.name = "cleanup_old_user_data", .every_s = 3600, .run = cleanup};
