/* Owns the lifecycle of sessions. */
#include "services/user/session.h"

#include <stdio.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "services/user/deactivation.h"
#include "services/user/device_token.h"
#include "services/user/mails.h"
#include "services/user/refresh_again.h"
#include "services/user/roles.h"
#include "services/user/store.h"
#include "services/user/user.h"

#define LOAD_MS      10000
#define LOAD_AT_ONCE 5000
#define MARGIN_S     60 /* a transaction may end some time after its session */

static int64_t longest_days;

void session_start(const struct settings *settings)
{
        longest_days = settings->session_days;
}

int64_t session_days(void)
{
        return longest_days;
}

static sn_status end_oldest(struct db_tx *tx, const char *user_id);

sn_status session_begin(struct db_tx *tx, const char *user_id, const struct login_try *try, struct session *session)
{
        uuid_new(session->id);
        random_bytes(session->salt, sizeof(session->salt));
        session->auth_time_s = db_call(tx)->now_ms / 1000;
        if (try->device[0] != '\0') {
                memcpy(session->device, try->device, UUID_SIZE);
        } else {
                uuid_new(session->device);
        }
        TRY(account_return(tx, user_id));
        TRY(store_lock_rights(tx, user_id, session));
        TRY(end_oldest(tx, user_id));
        TRY(store_insert_session(tx, session, user_id, try));
        if (try->device[0] == '\0' && !try->first) {
                TRY(notify_owner(tx, user_id, OWNER_NEW_DEVICE));
        }
        return store_insert_login(tx, try, user_id, true);
}

sn_status session_answer(struct rpc_call *c, const struct session *session, uint32_t generation, User__User *user,
                         User__Login *out)
{
        struct token_claims claims = {
            .epoch = session->epoch, .auth_time_s = session->auth_time_s, .expires_s = c->now_ms / 1000 + TOKEN_LIFE_S};

        (void)snprintf(claims.scope, sizeof(claims.scope), "%s", session->role->scopes);
        memcpy(claims.subject, user->id, UUID_SIZE);
        memcpy(claims.session, session->id, UUID_SIZE);
        TRY(token_sign(c, &claims, &out->access_token));
        out->refresh_token = refresh_token_make(c->arena, session->id, generation, session->salt);
        if (generation == 1) {
                out->client_key = client_key_make(c->arena, session);
        }
        out->session_id = arena_strdup(c->arena, session->id);
        out->device_token = device_token_make(c->arena, user->id, session->device);
        out->expires_in = TOKEN_LIFE_S;
        out->user = user;
        return SN_OK;
}

sn_status session_step_up(struct db_tx *tx, UserFactors__SteppedUp *out)
{
        struct rpc_call *c = db_call(tx);
        struct token_claims claims = {.auth_time_s = c->now_ms / 1000, .expires_s = c->now_ms / 1000 + TOKEN_LIFE_S};
        struct session rights;

        TRY(store_lock_rights(tx, c->actor, &rights)); /* current rights, not those of the token */
        TRY(store_step_up(tx));
        claims.epoch = rights.epoch;
        memcpy(claims.subject, c->actor, UUID_SIZE);
        memcpy(claims.session, c->session, UUID_SIZE);
        (void)snprintf(claims.scope, sizeof(claims.scope), "%s", rights.role->scopes);
        out->expires_in = TOKEN_LIFE_S;
        return token_sign(c, &claims, &out->access_token);
}

static void revoke_session(const char *session_id)
{
        token_revoke_session(session_id, clock_wall_ms() / 1000 + TOKEN_LIFE_S);
}

static void revoke_committed(void *session_id)
{
        revoke_session(session_id);
}

sn_status session_end(struct db_tx *tx, const char *session_id, const char *user_id, bool *ended)
{
        TRY(store_end_session(tx, session_id, user_id, ended));
        if (!*ended) { /* not if it belongs to another member */
                return SN_OK;
        }
        db_on_commit(tx, revoke_committed, arena_strdup(db_arena(tx), session_id));
        return outbox_put(
            tx, &(struct outbox_event){.type = EVENT_SESSION_ENDED, .aggregate_id = session_id, .actor_id = user_id});
}

/* No member needs more sessions than this; another log-in ends the oldest one. */
#define SESSIONS_MAX 100

sn_status session_end_others(struct db_tx *tx, const char *user_id, const char *keep, int64_t *ended)
{
        char **ids = NULL;
        size_t n = 0;

        TRY(store_lock_member(tx, user_id));
        TRY(store_running_sessions(tx, user_id, keep, 0, &n, &ids));
        *ended = 0;
        for (size_t i = 0; i < n; i++) {
                bool was_running = false;

                TRY(session_end(tx, ids[i], user_id, &was_running));
                *ended += was_running;
        }
        return SN_OK;
}

/* Before a new one starts. */
static sn_status end_oldest(struct db_tx *tx, const char *user_id)
{
        char **ids = NULL;
        size_t n = 0;
        bool ended = false;

        TRY(store_running_sessions(tx, user_id, "", SESSIONS_MAX - 1, &n, &ids));
        for (size_t i = 0; i < n; i++) {
                TRY(session_end(tx, ids[i], user_id, &ended));
        }
        return SN_OK;
}

struct raised {
        const char *user_id;
        int64_t epoch;
};

static void raise_epoch(const char *user_id, int64_t epoch)
{
        token_raise_epoch(user_id, epoch, clock_wall_ms() / 1000 + TOKEN_LIFE_S);
}

static void raise_committed(void *context)
{
        const struct raised *raised = context;

        raise_epoch(raised->user_id, raised->epoch);
}

sn_status session_raise_epoch(struct db_tx *tx, const char *user_id)
{
        struct raised *raised = ARENA_NEW(db_arena(tx), struct raised);

        *raised = (struct raised){.user_id = arena_strdup(db_arena(tx), user_id)};
        TRY(store_raise_epoch(tx, user_id, &raised->epoch));
        db_on_commit(tx, raise_committed, raised);
        return outbox_put(
            tx, &(struct outbox_event){.type = EVENT_EPOCH_RAISED, .aggregate_id = user_id, .version = raised->epoch});
}

static sn_status load_epochs(struct service *service)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, LOAD_MS);
        struct db_rows *rows = NULL;

        TRY(DB_READ(c, tx, store_epochs_raised_lately(tx, TOKEN_LIFE_S + MARGIN_S, &rows)));
        for (size_t i = 0; i < db_rows_count(rows); i++) {
                raise_epoch(db_text(rows, i, "id"), db_i64(rows, i, "epoch"));
        }
        return SN_OK;
}

static sn_status load_page(struct service *service, char after_id[UUID_SIZE], bool *more)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, LOAD_MS);
        UserRows__EndedSession **sessions = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_ended_lately(tx, TOKEN_LIFE_S + MARGIN_S, after_id, LOAD_AT_ONCE, &n, &sessions)));
        for (size_t i = 0; i < n; i++) {
                revoke_session(sessions[i]->id);
        }
        *more = n == LOAD_AT_ONCE;
        if (*more) {
                memcpy(after_id, sessions[n - 1]->id, UUID_SIZE);
        }
        return SN_OK;
}

sn_status session_load_ended(struct service *service)
{
        char after_id[UUID_SIZE] = "";
        bool more = true;

        while (more) {
                TRY(load_page(service, after_id, &more));
        }
        return load_epochs(service);
}
