/* Forgets old sessions and logins once an hour. */
#include "services/user/user.h"

#include "services/user/store.h"

static sn_status run(struct rpc_call *c)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_cleanup(tx));
        return db_commit(c, NULL, &tx);
}

const struct service_job user_cleanup = {.name = "cleanup_old_user_data", .every_s = 3600, .run = run};
