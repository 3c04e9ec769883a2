/* Owns the methods of those who look after a network: what they may see and do is accounts.h. */
#include "services/user/user.h"

#include <string.h>
#include "base/in_flight.h"
#include "services/page.h"
#include "services/user/accounts.h"

struct rows {
        const char *role;
        bool suspended;
        size_t n;
        UserAdmin__Account **items; /* what was fetched last */
};

static sn_status fetch(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        struct rows *rows = context;

        (void)in_flight_settled(c->service, out->settled.id); /* first: what is read afterwards has all of it */
        TRY(DB_READ(c, tx, account_list(tx, rows->role, rows->suspended, scan, &rows->n, &rows->items)));
        out->n = rows->n;
        out->items = ARENA_ARRAY(c->arena, struct page_ref, out->n);
        for (size_t i = 0; i < out->n; i++) {
                memcpy(out->items[i].at.id, rows->items[i]->id, UUID_SIZE);
        }
        return SN_OK;
}

static sn_status show(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                      ProtobufCMessage ***items)
{
        const struct rows *rows = context;

        *items = ARENA_ARRAY(c->arena, ProtobufCMessage *, n);
        for (size_t i = 0; i < rows->n && *n_items < n; i++) {
                if (strcmp(rows->items[i]->id, ids[*n_items]) == 0) {
                        (*items)[(*n_items)++] = &rows->items[i]->base;
                }
        }
        return SN_OK;
}

sn_status user_handle_list_accounts(struct rpc_call *c, const UserAdmin__ListAccountsRequest *in,
                                    UserAdmin__AccountList *out)
{
        struct rows rows = {.role = in->role, .suspended = in->suspended};
        struct page_source source = {
            .filter = arena_printf(c->arena, "accounts:%s:%d", in->role, in->suspended),
            .newest_first = true,
            .fetch = fetch,
            .show = show,
            .context = &rows,
        };
        struct page page;

        TRY(page_read(c, &source, PAGE_ASKED(in, USER_ADMIN__LIST_ACCOUNTS_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

sn_status user_handle_get_account(struct rpc_call *c, const UserAdmin__GetAccountRequest *in, UserAdmin__Account *out)
{
        return DB_READ(c, tx, account_find(tx, in->id, out));
}

/* Who would lose the way back by a slip. */
static sn_status check_not_oneself(struct rpc_call *c, const char *id)
{
        return !uuid_equal(id, c->actor) ? SN_OK
                                         : rpc_fail_code(c, SN_FAILED_PRECONDITION, "account_is_yours", "id",
                                                         "is your own account: another administrator can do this");
}

sn_status user_handle_set_role(struct rpc_call *c, const UserAdmin__SetRoleRequest *in, UserAdmin__Account *out)
{
        TRY(check_not_oneself(c, in->id));
        return DB_WRITE(c, tx, account_set_role(tx, in->id, in->role, out));
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
