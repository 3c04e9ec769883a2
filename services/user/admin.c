/* Owns the methods for moderators and administrators; their effects are in accounts.h. */
#include "services/user/user.h"

#include <string.h>
#include "services/page.h"
#include "services/user/accounts.h"

static sn_status read_accounts(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                               ProtobufCMessage ***rows)
{
        return account_list(tx, context, scan, n, (void *)rows);
}

sn_status user_handle_list_accounts(struct rpc_call *c, const UserAdmin__ListAccountsRequest *in,
                                    UserAdmin__AccountList *out)
{
        struct account_filter filter = {.role = in->role, .suspended = in->suspended, .waiting = in->waiting};
        const char *name = arena_printf(c->arena, "accounts:%s:%d:%d", in->role, in->suspended, in->waiting);
        struct page page;

        TRY(page_read_rows(c, name, read_accounts, &filter, PAGE_ASKED(in, USER_ADMIN__LIST_ACCOUNTS_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

sn_status user_handle_get_account(struct rpc_call *c, const UserAdmin__GetAccountRequest *in, UserAdmin__Account *out)
{
        return DB_READ(c, tx, account_find(tx, in->id, out));
}

/* Prevents locking oneself out by mistake. */
static sn_status check_not_oneself(struct rpc_call *c, const char *id)
{
        return !uuid_equal(id, c->actor) ? SN_OK
                                         : rpc_fail_code(c, SN_FAILED_PRECONDITION, "account_is_yours", "id",
                                                         "is your own account; ask another administrator");
}

/* Administrators who remove each other's roles concurrently, in pairs or rings, would leave none: these changes are
 * serialised, and a caller who no longer has the role fails. */
static sn_status check_still_administers(struct db_tx *tx)
{
        struct rpc_call *c = db_call(tx);
        UserAdmin__Account own = USER_ADMIN__ACCOUNT__INIT;

        TRY(db_lock_one(tx, "roles", "all"));
        TRY(account_find(tx, c->actor, &own));
        return strcmp(own.role, "administrator") == 0
                   ? SN_OK
                   : rpc_fail_code(c, SN_UNAUTHENTICATED, "token_outdated", NULL,
                                   "your own role has just changed; refresh the token and try again");
}

static sn_status set_role(struct db_tx *tx, const UserAdmin__SetRoleRequest *in, UserAdmin__Account *out)
{
        TRY(check_still_administers(tx));
        return account_set_role(tx, in->id, in->role, out);
}

sn_status user_handle_set_role(struct rpc_call *c, const UserAdmin__SetRoleRequest *in, UserAdmin__Account *out)
{
        TRY(check_not_oneself(c, in->id));
        return DB_WRITE(c, tx, set_role(tx, in, out));
}

sn_status user_handle_suspend(struct rpc_call *c, const UserAdmin__SuspendRequest *in, UserAdmin__Account *out)
{
        TRY(check_not_oneself(c, in->id));
        return DB_WRITE(c, tx, account_suspend(tx, in->id, in->reason, out));
}

sn_status user_handle_unsuspend(struct rpc_call *c, const UserAdmin__UnsuspendRequest *in, UserAdmin__Account *out)
{
        return DB_WRITE(c, tx, account_unsuspend(tx, in->id, out));
}

sn_status user_handle_approve(struct rpc_call *c, const UserAdmin__ApproveRequest *in, UserAdmin__Account *out)
{
        return DB_WRITE(c, tx, account_approve(tx, in->id, out));
}

sn_status user_handle_decline(struct rpc_call *c, const UserAdmin__DeclineRequest *in, Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, account_decline(tx, in->id));
}
