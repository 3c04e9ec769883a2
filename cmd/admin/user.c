/* Owns `sonet admin user`: changing accounts next to running processes (services/user/accounts.h). */
#include "services/user/accounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "cmd/admin/admin.h"
#include "rpc/rpc.h"
#include "services/user/roles.h"
#include "services/user/user.h"

static const char *format_timestamp(const Google__Protobuf__Timestamp *at, char text[CLOCK_RFC3339_SIZE])
{
        return at != NULL ? clock_format_ms(at->seconds * 1000 + at->nanos / 1000000, text) : "-";
}

static void print_account(const UserAdmin__Account *account)
{
        char created[CLOCK_RFC3339_SIZE], used[CLOCK_RFC3339_SIZE], suspended[CLOCK_RFC3339_SIZE];
        char verified[CLOCK_RFC3339_SIZE], waiting[CLOCK_RFC3339_SIZE];

        printf("id         %s\nusername   %s\nname       %s\nemail      %s\nrole       %s\ncreated    %s\n",
               account->id, account->username, account->display_name, account->email, account->role,
               format_timestamp(account->created_at, created));
        printf("sessions   %" PRId64 ", last used %s\n", account->sessions,
               format_timestamp(account->last_used_at, used));
        printf("verified   %s\n", format_timestamp(account->email_verified_at, verified));
        if (account->waiting_since != NULL) {
                printf("waiting    since %s: %s\n", format_timestamp(account->waiting_since, waiting),
                       account->join_reason);
        }
        if (account->suspended_at != NULL) {
                printf("suspended  %s: %s\n", format_timestamp(account->suspended_at, suspended),
                       account->suspension_reason);
        }
}

static void print_line(const UserAdmin__Account *account)
{
        char created[CLOCK_RFC3339_SIZE];

        printf("%s  %-30s %-13s %s  %s%s%s\n", account->id, account->username, account->role,
               format_timestamp(account->created_at, created), account->email,
               account->suspended_at != NULL ? "  suspended" : "", account->waiting_since != NULL ? "  waiting" : "");
}

static sn_status find_account(struct db_tx *tx, const struct admin *a, UserAdmin__Account *out)
{
        user_admin__account__init(out);
        return account_find(tx, a->words[0], out);
}

static sn_status admin_user_show(struct admin *a, struct rpc_call *c)
{
        UserAdmin__Account account = USER_ADMIN__ACCOUNT__INIT;

        TRY(DB_READ(c, tx, find_account(tx, a, &account)));
        print_account(&account);
        return SN_OK;
}

static sn_status no_such_role(struct rpc_call *c, const char *name)
{
        return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "unknown role '%s'; use member, moderator or administrator",
                        name);
}

static sn_status admin_user_list(struct admin *a, struct rpc_call *c)
{
        struct account_filter filter = {.role = a->role, .suspended = a->suspended, .waiting = a->waiting};
        struct page_scan scan = {.limit = (size_t)a->limit};
        UserAdmin__Account **accounts = NULL;
        size_t n = 0;

        if (a->role[0] != '\0' && role_find(a->role) == NULL) {
                return no_such_role(c, a->role);
        }
        TRY(DB_READ(c, tx, account_list(tx, &filter, &scan, &n, &accounts)));
        for (size_t i = 0; i < n; i++) {
                print_line(accounts[i]);
        }
        return SN_OK;
}

/* A change to the account named by the first operand, which is then shown. */
static sn_status change_account(struct admin *a, struct rpc_call *c,
                                sn_status (*run)(struct db_tx *tx, const struct admin *a, UserAdmin__Account *account))
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserAdmin__Account account;

        TRY(db_begin(c, &tx));
        TRY(find_account(tx, a, &account));
        TRY(run(tx, a, &account));
        TRY(db_commit(c, NULL, &tx));
        print_account(&account);
        return SN_OK;
}

static sn_status set_role(struct db_tx *tx, const struct admin *a, UserAdmin__Account *account)
{
        if (role_find(a->words[1]) == NULL) {
                return no_such_role(db_call(tx), a->words[1]);
        }
        return account_set_role(tx, arena_strdup(db_arena(tx), account->id), a->words[1], account);
}

static sn_status admin_user_role(struct admin *a, struct rpc_call *c)
{
        return change_account(a, c, set_role);
}

static sn_status admin_user_create(struct admin *a, struct rpc_call *c)
{
        UserAdmin__Account account = USER_ADMIN__ACCOUNT__INIT;
        const char *role = a->role[0] != '\0' ? a->role : roles[0].name;

        if (role_find(role) == NULL) {
                return no_such_role(c, role);
        }
        TRY(account_create_by_operator(c, a->words[0], a->words[1], role, &account));
        print_account(&account);
        printf("A link to set a password was mailed to %s.\n", account.email);
        return SN_OK;
}

static sn_status set_approved(struct db_tx *tx, const struct admin *a, UserAdmin__Account *account)
{
        return account_approve(tx, arena_strdup(db_arena(tx), account->id), account);
}

static sn_status admin_user_approve(struct admin *a, struct rpc_call *c)
{
        return change_account(a, c, set_approved);
}

/* A change after which the account may no longer exist. */
static sn_status end_account(struct admin *a, struct rpc_call *c, const char *done,
                             sn_status (*run)(struct db_tx *tx, const struct admin *a, const char *id))
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserAdmin__Account account;

        TRY(db_begin(c, &tx));
        TRY(find_account(tx, a, &account));
        TRY(run(tx, a, account.id));
        TRY(db_commit(c, NULL, &tx));
        printf("%s (%s) %s\n", account.username, account.id, done);
        return SN_OK;
}

static sn_status run_decline(struct db_tx *tx, const struct admin *a, const char *id)
{
        return account_decline(tx, id);
}

static sn_status admin_user_decline(struct admin *a, struct rpc_call *c)
{
        return end_account(a, c, "was declined and erased", run_decline);
}

static sn_status run_delete(struct db_tx *tx, const struct admin *a, const char *id)
{
        return account_delete(tx, id, a->now);
}

static sn_status delete (struct admin *a, struct rpc_call *c)
{
        return end_account(a, c, a->now ? "was erased" : "was deactivated and will be erased after ACCOUNT_GRACE_DAYS",
                           run_delete);
}

static sn_status set_suspended(struct db_tx *tx, const struct admin *a, UserAdmin__Account *account)
{
        UserAdmin__SuspendRequest in = USER_ADMIN__SUSPEND_REQUEST__INIT;

        in.id = account->id;
        in.reason = a->words[1];
        TRY(rpc_validate(db_call(tx), &user_admin__suspend_request__message, &in.base));
        return account_suspend(tx, arena_strdup(db_arena(tx), account->id), a->words[1], account);
}

static sn_status admin_user_suspend(struct admin *a, struct rpc_call *c)
{
        return change_account(a, c, set_suspended);
}

static sn_status set_unsuspended(struct db_tx *tx, const struct admin *a, UserAdmin__Account *account)
{
        return account_unsuspend(tx, arena_strdup(db_arena(tx), account->id), account);
}

static sn_status admin_user_unsuspend(struct admin *a, struct rpc_call *c)
{
        return change_account(a, c, set_unsuspended);
}

static sn_status set_factors_reset(struct db_tx *tx, const struct admin *a, UserAdmin__Account *account)
{
        return account_reset_factors(tx, arena_strdup(db_arena(tx), account->id), account);
}

static sn_status reset_factors(struct admin *a, struct rpc_call *c)
{
        return change_account(a, c, set_factors_reset);
}

static const struct {
        const char *name;
        int words; /* number of operands */
        const char *operands;
        admin_action run;
} COMMANDS[] = {
    {"show", 1, "MEMBER", admin_user_show},
    {"create", 2, "USERNAME EMAIL [--role ROLE]", admin_user_create},
    {"list", 0, "[--role ROLE] [--suspended] [--waiting] [--limit N]", admin_user_list},
    {"role", 2, "MEMBER member|moderator|administrator", admin_user_role},
    {"suspend", 2, "MEMBER REASON", admin_user_suspend},
    {"unsuspend", 1, "MEMBER", admin_user_unsuspend},
    {"approve", 1, "MEMBER", admin_user_approve},
    {"decline", 1, "MEMBER", admin_user_decline},
    {"reset-2fa", 1, "MEMBER", reset_factors},
    {"delete", 1, "MEMBER [--now]", delete},
    {"export", 1, "MEMBER", NULL}, /* of all services */
};
#define N_COMMANDS (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

static sn_status run_command(struct admin *a, admin_action run)
{
        return run != NULL ? admin_with_service(a, service_definition_find("user"), run) : admin_export(a);
}

sn_status admin_user(struct admin *a, int n, char **words)
{
        for (size_t i = 0; n > 0 && i < N_COMMANDS; i++) {
                if (strcmp(words[0], COMMANDS[i].name) != 0) {
                        continue;
                }
                if (n - 1 != COMMANDS[i].words) {
                        buf_printf(&a->error, "expected 'user %s %s'", COMMANDS[i].name, COMMANDS[i].operands);
                        return SN_INVALID_ARGUMENT;
                }
                a->words = words + 1;
                return run_command(a, COMMANDS[i].run);
        }
        buf_append_c(&a->error, "expected one of");
        for (size_t i = 0; i < N_COMMANDS; i++) {
                buf_printf(&a->error, "%s 'user %s'", i > 0 ? "," : "", COMMANDS[i].name);
        }
        return SN_INVALID_ARGUMENT;
}
