/* Owns the SQL for accounts as moderators and administrators see them. */
#include "services/user/store_accounts.h"

#include <string.h>

#define ACCOUNT                                                                                                        \
        "select u.id, u.username, u.display_name, u.email, u.role, u.created_at, u.suspended_at, u.suspension_reason," \
        " u.email_verified_at, u.waiting_since, u.join_reason,"                                                        \
        " s.sessions, s.last_used_at from users u left join lateral (select count(*) as sessions,"                     \
        " max(last_used_at) as last_used_at from user_sessions where user_id = u.id and ended_at is null) s on true"

DB_STATEMENT(FIND_ACCOUNT, "user_service", &user_admin__account__message,
             ACCOUNT
             " where u.id = $1 or u.username_key = $2 or u.email_key = $2 order by u.email_verified_at limit 2");

/* Only an unverified address can belong to several accounts; the account that verified it comes first. */
sn_status store_account(struct db_tx *tx, const char *id, const char *key, UserAdmin__Account *out)
{
        UserAdmin__Account **found = NULL;
        size_t n = 0;

        TRY(db_list(tx, &FIND_ACCOUNT, DB_BINDS(bind_uuid(id), bind_text(key)), &n, &found));
        if (n == 0) {
                return rpc_fail(db_call(tx), SN_NOT_FOUND, "id",
                                "there is no account with this ID, username or e-mail address");
        }
        if (n > 1 && found[0]->email_verified_at == NULL) {
                return rpc_fail_code(db_call(tx), SN_INVALID_ARGUMENT, "account_ambiguous", "id",
                                     "is the unverified address of several accounts; give the username instead");
        }
        *out = *found[0];
        return SN_OK;
}

/* A statement for each subset with its own index: a single one would read the whole table for a few rows. */
#define ACCOUNTS(which, comparison, direction)                                                                         \
        ACCOUNT " where " which                                                                                        \
                " and ($1 = '' or u.role = $1) and (not $2 or u.suspended_at is not null) and u.id " comparison        \
                " $3 order by u.id " direction " limit $4"
#define STAFF     "u.role <> 'member'"
#define SUSPENDED "u.suspended_at is not null"
#define WAITING   "u.waiting_since is not null"

DB_STATEMENT(SELECT_ACCOUNTS, "user_service", &user_admin__account__message, ACCOUNTS("true", "<", "desc"));
DB_STATEMENT(SELECT_ACCOUNTS_AFTER, "user_service", &user_admin__account__message, ACCOUNTS("true", ">", "asc"));
DB_STATEMENT(SELECT_STAFF, "user_service", &user_admin__account__message, ACCOUNTS(STAFF, "<", "desc"));
DB_STATEMENT(SELECT_STAFF_AFTER, "user_service", &user_admin__account__message, ACCOUNTS(STAFF, ">", "asc"));
DB_STATEMENT(SELECT_SUSPENDED, "user_service", &user_admin__account__message, ACCOUNTS(SUSPENDED, "<", "desc"));
DB_STATEMENT(SELECT_SUSPENDED_AFTER, "user_service", &user_admin__account__message, ACCOUNTS(SUSPENDED, ">", "asc"));
DB_STATEMENT(SELECT_WAITING, "user_service", &user_admin__account__message, ACCOUNTS(WAITING, "<", "desc"));
DB_STATEMENT(SELECT_WAITING_AFTER, "user_service", &user_admin__account__message, ACCOUNTS(WAITING, ">", "asc"));

static const struct db_statement *list_of(const struct account_filter *filter, bool newer)
{
        if (filter->waiting) {
                return newer ? &SELECT_WAITING_AFTER : &SELECT_WAITING;
        }
        if (filter->role[0] != '\0' && strcmp(filter->role, "member") != 0) {
                return newer ? &SELECT_STAFF_AFTER : &SELECT_STAFF;
        }
        if (filter->suspended) {
                return newer ? &SELECT_SUSPENDED_AFTER : &SELECT_SUSPENDED;
        }
        return newer ? &SELECT_ACCOUNTS_AFTER : &SELECT_ACCOUNTS;
}

sn_status account_list(struct db_tx *tx, const struct account_filter *filter, const struct page_scan *scan, size_t *n,
                       UserAdmin__Account ***items)
{
        return db_list(tx, list_of(filter, scan->newer),
                       DB_BINDS(bind_text(filter->role), bind_bool(filter->suspended), bind_uuid(page_beyond_id(scan)),
                                bind_i64((int64_t)scan->limit)),
                       n, items);
}

DB_STATEMENT(APPROVE, "user_service", NULL, "update users set waiting_since = null, join_reason = '' where id = $1");

sn_status store_approve(struct db_tx *tx, const char *id)
{
        return db_exec(tx, &APPROVE, DB_BINDS(bind_uuid(id)), NULL);
}

DB_STATEMENT(SET_ROLE, "user_service", NULL, "update users set role = $2 where id = $1");

sn_status store_set_role(struct db_tx *tx, const char *id, const char *role)
{
        return db_exec(tx, &SET_ROLE, DB_BINDS(bind_uuid(id), bind_text(role)), NULL);
}

DB_STATEMENT(SUSPEND, "user_service", NULL,
             "update users set suspended_at = now(), suspension_reason = $2 where id = $1");

sn_status store_suspend(struct db_tx *tx, const char *id, const char *reason)
{
        return db_exec(tx, &SUSPEND, DB_BINDS(bind_uuid(id), bind_text(reason)), NULL);
}

DB_STATEMENT(UNSUSPEND, "user_service", NULL,
             "update users set suspended_at = null, suspension_reason = '' where id = $1");

sn_status store_unsuspend(struct db_tx *tx, const char *id)
{
        return db_exec(tx, &UNSUSPEND, DB_BINDS(bind_uuid(id)), NULL);
}
