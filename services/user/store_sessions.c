/* Owns the SQL on sessions. */
#include "services/cleanup.h"
#include "services/user/roles.h"
#include "services/user/store.h"
#include "services/user/user_columns.h"

static const struct role *role_of(const char *name)
{
        const struct role *role = role_find(name);

        return role != NULL ? role : &roles[0]; /* known only to a newer release */
}

DB_STATEMENT(
    LOCK_RIGHTS, "user_service", NULL,
    "select epoch, role, suspended_at is not null as suspended, suspension_reason, waiting_since is not null as waiting"
    " from users where id = $1 for share");

sn_status store_lock_rights(struct db_tx *tx, const char *user_id, struct session *session)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &LOCK_RIGHTS, DB_BINDS(bind_uuid(user_id)), &rows));
        if (db_rows_count(rows) == 0) {
                return rpc_fail(db_call(tx), SN_NOT_FOUND, NULL, "the account no longer exists");
        }
        if (db_i64(rows, 0, "suspended") != 0) {
                return rpc_fail_code(db_call(tx), SN_UNAUTHENTICATED, "account_suspended", NULL,
                                     "this account is suspended: %s", db_text(rows, 0, "suspension_reason"));
        }
        if (db_i64(rows, 0, "waiting") != 0) {
                return rpc_fail_code(db_call(tx), SN_UNAUTHENTICATED, "account_waiting", NULL,
                                     "this account is waiting for approval by a moderator; you "
                                     "will get an e-mail when it is approved");
        }
        session->epoch = db_i64(rows, 0, "epoch");
        session->role = role_of(db_text(rows, 0, "role"));
        return SN_OK;
}

static sn_status session_ended(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "token_revoked", NULL, "this session has ended; log in again");
}

DB_STATEMENT(INSERT_SESSION, "user_service", NULL,
             "insert into user_sessions (id, user_id, refresh_salt, user_agent, address, device_id, device_name,"
             " factors) values ($1, $2, $3, $4, $5, $6, $7, $8)");

sn_status store_insert_session(struct db_tx *tx, const struct session *session, const char *user_id,
                               const struct login_try *try)
{
        const struct rpc_call *c = db_call(tx);

        return db_exec(tx, &INSERT_SESSION,
                       DB_BINDS(bind_uuid(session->id), bind_uuid(user_id),
                                bind_bytes(session->salt, sizeof(session->salt)), bind_text(c->user_agent),
                                bind_text(c->client_address), bind_uuid(session->device),
                                bind_text(try->device_name != NULL ? try->device_name : ""),
                                bind_text(try->factor != NULL ? try->factor : "password")),
                       NULL);
}

DB_STATEMENT(
    SELECT_REFRESH_STATE, "user_service", &user_rows__refresh_state__message,
    "select x.id as session_id, x.refresh_salt as salt, x.refresh_generation as generation, x.ended_at is not "
    "null as ended, x.device_id, extract(epoch from x.proved_at)::bigint as proved_s, x.answer,"
    " (extract(epoch from clock_timestamp() - x.rotated_at) * 1000)::bigint as rotated_ms,"
    " extract(day from now() - x.created_at)::bigint as age_days, " USER_COLUMNS(
        "user.") " from user_sessions x join users u on u.id = x.user_id left join user_stats s on s.user_id = u.id"
                 " where x.id = $1 for share of u for update of x");

sn_status store_refresh_state(struct db_tx *tx, const char *session_id, UserRows__RefreshState *out, bool *found)
{
        TRY(db_one(tx, &SELECT_REFRESH_STATE, DB_BINDS(bind_uuid(session_id)), &out->base, found));
        if (*found) {
                store_complete_user(tx, out->user);
        }
        return SN_OK;
}

DB_STATEMENT(ROTATE, "user_service", NULL,
             "update user_sessions set refresh_generation = refresh_generation + 1, last_used_at = now(), address = $2,"
             " rotated_at = clock_timestamp(), answer = $3 where id = $1");

sn_status store_rotate(struct db_tx *tx, const char *session_id, const uint8_t *answer, size_t len)
{
        return db_exec(tx, &ROTATE,
                       DB_BINDS(bind_uuid(session_id), bind_text(db_call(tx)->client_address), bind_bytes(answer, len)),
                       NULL);
}

DB_STATEMENT(SELECT_STEP_UP_STATE, "user_service", &user_rows__step_up_state__message,
             "select u.password_hash, x.device_id from user_sessions x join users u on u.id = x.user_id"
             " where x.id = $1 and x.user_id = $2 and x.ended_at is null");

sn_status store_step_up_state(struct db_tx *tx, UserRows__StepUpState *out)
{
        struct rpc_call *c = db_call(tx);
        bool running = false;

        TRY(db_one(tx, &SELECT_STEP_UP_STATE, DB_BINDS(bind_uuid(c->session), bind_uuid(c->actor)), &out->base,
                   &running));
        return running ? SN_OK : session_ended(c);
}

DB_STATEMENT(STEP_UP, "user_service", NULL,
             "update user_sessions set proved_at = now() where id = $1 and user_id = $2 and ended_at is null");

sn_status store_step_up(struct db_tx *tx)
{
        struct rpc_call *c = db_call(tx);
        int64_t running = 0;

        TRY(db_exec(tx, &STEP_UP, DB_BINDS(bind_uuid(c->session), bind_uuid(c->actor)), &running));
        return running > 0 ? SN_OK : session_ended(c);
}

DB_STATEMENT(LOCK_MEMBER, "user_service", NULL, "select id from users where id = $1 for no key update");

sn_status store_lock_member(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &LOCK_MEMBER, DB_BINDS(bind_uuid(user_id)), NULL);
}

DB_STATEMENT(LOCK_RUNNING, "user_service", NULL,
             "select from users u join user_sessions x on x.user_id = u.id where x.id = $1 and u.id = $2"
             " and x.ended_at is null for no key update of u for share of x");

sn_status store_lock_running(struct db_tx *tx)
{
        struct rpc_call *c = db_call(tx);
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &LOCK_RUNNING, DB_BINDS(bind_uuid(c->session), bind_uuid(c->actor)), &rows));
        return db_rows_count(rows) > 0 ? SN_OK : session_ended(c);
}

DB_STATEMENT(
    END_SESSION, "user_service", NULL,
    "update user_sessions set ended_at = clock_timestamp() where id = $1 and user_id = $2 and ended_at is null");

sn_status store_end_session(struct db_tx *tx, const char *session_id, const char *user_id, bool *ended)
{
        int64_t affected = 0;

        TRY(db_exec(tx, &END_SESSION, DB_BINDS(bind_uuid(session_id), bind_uuid(user_id)), &affected));
        *ended = affected > 0;
        return SN_OK;
}

DB_STATEMENT(SELECT_RUNNING, "user_service", NULL,
             "select id from user_sessions where user_id = $1 and ended_at is null and id is distinct from $2"
             " order by id desc offset $3");

sn_status store_running_sessions(struct db_tx *tx, const char *user_id, const char *keep, size_t skip, size_t *n,
                                 char ***ids)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_RUNNING, DB_BINDS(bind_uuid(user_id), bind_uuid(keep), bind_i64((int64_t)skip)),
                    &rows));
        *n = db_rows_count(rows);
        *ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                (*ids)[i] = (char *)db_text(rows, i, "id");
        }
        return SN_OK;
}

DB_STATEMENT(RAISE_EPOCH, "user_service", NULL,
             "update users set epoch = epoch + 1, epoch_raised_at = clock_timestamp() where id = $1 returning epoch");

sn_status store_raise_epoch(struct db_tx *tx, const char *user_id, int64_t *epoch)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &RAISE_EPOCH, DB_BINDS(bind_uuid(user_id)), &rows));
        if (db_rows_count(rows) == 0) {
                return rpc_fail(db_call(tx), SN_NOT_FOUND, "id", "there is no member with this id");
        }
        *epoch = db_i64(rows, 0, "epoch");
        return SN_OK;
}

DB_STATEMENT(SELECT_RAISED, "user_service", NULL,
             "select id, epoch from users where epoch_raised_at > now() - make_interval(secs => $1::bigint)");

sn_status store_epochs_raised_lately(struct db_tx *tx, int64_t seconds, struct db_rows **rows)
{
        return db_rows(tx, &SELECT_RAISED, DB_BINDS(bind_i64(seconds)), rows);
}

#define SESSIONS(comparison, direction)                                                                                \
        "select id, created_at, last_used_at, user_agent, address, device_name, factors from user_sessions where "     \
        "user_id = $1"                                                                                                 \
        " and ended_at is null and id " comparison " $2 order by id " direction " limit $3"

DB_STATEMENT(SELECT_SESSIONS, "user_service", &user__session__message, SESSIONS("<", "desc"));
DB_STATEMENT(SELECT_SESSIONS_AFTER, "user_service", &user__session__message, SESSIONS(">", "asc"));

sn_status store_sessions(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                         User__Session ***sessions)
{
        return db_list(tx, scan->newer ? &SELECT_SESSIONS_AFTER : &SELECT_SESSIONS,
                       DB_BINDS(bind_uuid(user_id), bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)), n,
                       sessions);
}

DB_STATEMENT(SELECT_ENDED, "user_service", &user_rows__ended_session__message,
             "with ended as materialized (select id from user_sessions"
             " where ended_at > now() - make_interval(secs => $1::bigint))"
             " select id from ended where id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')"
             " order by id limit $3");

sn_status store_ended_lately(struct db_tx *tx, int64_t seconds, const char *after_id, size_t limit, size_t *n,
                             UserRows__EndedSession ***sessions)
{
        return db_list(tx, &SELECT_ENDED, DB_BINDS(bind_i64(seconds), bind_uuid(after_id), bind_i64((int64_t)limit)), n,
                       sessions);
}

DB_STATEMENT(CLEANUP_USER_DATA, "user_service", NULL,
             "select greatest(sessions_ended, sessions_deleted, logins_deleted) as most"
             " from cleanup_old_user_data($1::integer)");

sn_status store_cleanup(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_USER_DATA, more);
}
