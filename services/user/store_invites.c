/* Owns the SQL on invites. */
#include "services/user/store_invites.h"

#include "services/cleanup.h"
#include "services/user/user_columns.h"

#define INVITE "id, uses, uses_left, expires_at, created_at"

DB_STATEMENT(INSERT_INVITE, "user_service", &user_invites__invite__message,
             "insert into invites (id, inviter_id, token_hash, uses, uses_left, expires_at, created_at)"
             " values ($1, $2, $3, $4::bigint, $4::bigint, now() + make_interval(days => $5::bigint::integer), now())"
             " returning " INVITE);

sn_status store_insert_invite(struct db_tx *tx, const char *inviter_id, const uint8_t hash[MAILED_HASH_BYTES],
                              int64_t uses, int64_t days, UserInvites__Invite *out)
{
        return db_one(tx, &INSERT_INVITE,
                      DB_BINDS(bind_uuid(uuid_new_in(db_arena(tx))), bind_uuid(inviter_id),
                               bind_bytes(hash, MAILED_HASH_BYTES), bind_i64(uses), bind_i64(days)),
                      &out->base, NULL);
}

/* A revoked invite has no uses left: its row still counts towards the inviter's limit. */
#define USABLE "uses_left > 0 and expires_at > now()"

DB_STATEMENT(
    USE_INVITE, "user_service", NULL,
    "update invites set uses_left = uses_left - 1 where token_hash = $1 and " USABLE
    " and (inviter_id is null or exists (select from users u where u.id = inviter_id and " USER_IS_SHOWN("u") "))");

sn_status store_use_invite(struct db_tx *tx, const uint8_t hash[MAILED_HASH_BYTES], bool *used)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &USE_INVITE, DB_BINDS(bind_bytes(hash, MAILED_HASH_BYTES)), &affected));
        *used = affected > 0;
        return SN_OK;
}

DB_STATEMENT(REVOKE_INVITE, "user_service", NULL,
             "update invites set uses_left = 0 where id = $2 and inviter_id is not distinct from $1 and " USABLE);

sn_status store_revoke_invite(struct db_tx *tx, const char *inviter_id, const char *id, bool *revoked)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &REVOKE_INVITE, DB_BINDS(bind_uuid(inviter_id), bind_uuid(id)), &affected));
        *revoked = affected > 0;
        return SN_OK;
}

DB_STATEMENT(REVOKE_INVITES, "user_service", NULL,
             "update invites set uses_left = 0 where inviter_id = $1 and " USABLE);

sn_status store_revoke_invites(struct db_tx *tx, const char *inviter_id)
{
        return db_exec(tx, &REVOKE_INVITES, DB_BINDS(bind_uuid(inviter_id)), NULL);
}

DB_STATEMENT(SELECT_INVITED, "user_service", NULL,
             "select coalesce(sum(uses), 0)::bigint as uses from invites where inviter_id = $1"
             " and created_at > now() - make_interval(days => $2::bigint::integer)");

sn_status store_invited_lately(struct db_tx *tx, const char *inviter_id, int64_t days, int64_t *uses)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_INVITED, DB_BINDS(bind_uuid(inviter_id), bind_i64(days)), &rows));
        *uses = db_i64(rows, 0, "uses");
        return SN_OK;
}

#define INVITES(whose, comparison, direction)                                                                          \
        "select " INVITE " from invites where " whose " and " USABLE " and id " comparison                             \
        " $2 order by id " direction " limit $3"

DB_STATEMENT(SELECT_INVITES, "user_service", &user_invites__invite__message, INVITES("inviter_id = $1", "<", "desc"));
DB_STATEMENT(SELECT_INVITES_AFTER, "user_service", &user_invites__invite__message,
             INVITES("inviter_id = $1", ">", "asc"));
DB_STATEMENT(SELECT_OPERATOR_INVITES, "user_service", &user_invites__invite__message,
             INVITES("$1::uuid is null and inviter_id is null", "<", "desc"));

sn_status invite_list(struct db_tx *tx, const char *inviter_id, const struct page_scan *scan, size_t *n,
                      UserInvites__Invite ***items)
{
        const struct db_statement *s = inviter_id[0] == '\0' ? &SELECT_OPERATOR_INVITES
                                       : scan->newer         ? &SELECT_INVITES_AFTER
                                                             : &SELECT_INVITES;

        return db_list(tx, s,
                       DB_BINDS(bind_uuid(inviter_id), bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)),
                       n, items);
}

DB_STATEMENT(CLEANUP_INVITES, "user_service", NULL,
             "with old as (select id from invites where expires_at < now() - interval '30 days' order by expires_at"
             " limit $1 for update skip locked), gone as (delete from invites i using old where i.id = old.id"
             " returning 1) select count(*) as most from gone");

sn_status store_cleanup_invites(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_INVITES, more);
}
