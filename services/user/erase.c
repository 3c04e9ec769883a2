/* Erases accounts that were deactivated ACCOUNT_GRACE_DAYS ago, or have waited for approval for a month. The other
 * services erase their data of a member when they get the event. */
#include "services/user/deactivation.h"

#include "mail/mail.h"
#include "services/user/authors.h"
#include "services/user/store.h"
#include "services/user/user.h"

static int64_t grace_days;

void erase_start(const struct settings *settings)
{
        grace_days = settings->account_grace_days;
}

sn_status account_erase(struct db_tx *tx, const char *id)
{
        TRY(mail_forget(tx, id));
        TRY(store_erase(tx, id));
        authors_changed(tx, id);
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_USER_ERASED, .aggregate_id = id, .object_id = ""});
}

static sn_status erase_one(struct rpc_call *c, bool *more)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        const char *id = "";

        TRY(db_begin(c, &tx));
        TRY(store_lock_expired(tx, grace_days, &id));
        *more = id[0] != '\0';
        if (!*more) {
                return SN_OK;
        }
        TRY(account_erase(tx, id));
        return db_commit(c, NULL, &tx);
}

const struct service_job user_erase = {.name = "erase_accounts", .every_s = 10, .run = erase_one};
