/* Owns the list of the caller's log-ins. */
#include "services/user/user.h"

#include "services/page.h"
#include "services/user/store.h"

static sn_status read_logins(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                             ProtobufCMessage ***rows)
{
        return store_logins(tx, db_call(tx)->actor, scan, n, (void *)rows);
}

sn_status user_handle_list_log_ins(struct rpc_call *c, const UserLogins__ListLogInsRequest *in,
                                   UserLogins__LogInList *out)
{
        struct page page;

        TRY(page_read_rows(c, "logins", read_logins, NULL, PAGE_ASKED(in, USER_LOGINS__LIST_LOG_INS_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
