/* Owns refreshing, listing and ending sessions. */
#include "services/user/user.h"

#include <inttypes.h>
#include <string.h>
#include "auth/token.h"
#include "services/user/audit.h"
#include "services/user/session.h"
#include "services/user/store.h"

static sn_status refused(struct rpc_call *c, const char *code, const char *detail)
{
        return rpc_fail_code(c, SN_UNAUTHENTICATED, code, "refresh_token", "%s", detail);
}

/* An old token that was truly issued: two hold it, and one of them should not. */
static sn_status end_reused(struct rpc_call *c, const UserRows__RefreshState *state, struct db_tx **tx)
{
        bool ended = false;

        TRY(session_end(*tx, state->session_id, state->user->id, &ended));
        TRY(db_commit(c, NULL, tx));
        return refused(c, "refresh_token_reused",
                       "was already used; its session was ended to protect you: log in again");
}

static sn_status answer(struct db_tx *tx, const UserRows__RefreshState *state, uint32_t generation, User__Login *out)
{
        struct session session;

        TRY(store_lock_rights(tx, state->user->id, &session));
        memcpy(session.id, state->session_id, sizeof(session.id));
        memcpy(session.salt, state->salt.data, sizeof(session.salt));
        memcpy(session.device, state->device_id, sizeof(session.device));
        session.auth_time_s = state->proved_s;
        return session_answer(db_call(tx), &session, generation, state->user, out);
}

sn_status user_handle_refresh(struct rpc_call *c, const User__RefreshRequest *in, User__Login *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__RefreshState state = USER_ROWS__REFRESH_STATE__INIT;
        struct refresh_token token;
        bool found = false;

        if (!refresh_token_parse(in->refresh_token, &token)) {
                return refused(c, "refresh_token_unknown", "was not issued by this server: log in again");
        }
        TRY(db_begin(c, &tx));
        TRY(store_refresh_state(tx, token.session, &state, &found));
        if (!found || !refresh_token_issued(&token, state.salt.data, state.salt.len)) {
                return refused(c, "refresh_token_unknown", "was not issued by this server: log in again");
        }
        if (state.ended) {
                return refused(c, "session_ended", "belongs to a session that has ended: log in again");
        }
        if (token.generation != state.generation) {
                return end_reused(c, &state, &tx);
        }
        TRY(store_rotate(tx, state.session_id));
        TRY(answer(tx, &state, token.generation + 1, out));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_log_out(struct rpc_call *c, const User__LogOutRequest *in, Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool ended = false;

        TRY(db_begin(c, &tx));
        TRY(session_end(tx, c->session, c->actor, &ended));
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_end_session(struct rpc_call *c, const User__EndSessionRequest *in, Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        bool ended = false;

        TRY(db_begin(c, &tx));
        TRY(session_end(tx, in->id, c->actor, &ended));
        if (!ended) {
                return rpc_fail(c, SN_NOT_FOUND, "id", "you have no running session with this id");
        }
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_end_other_sessions(struct rpc_call *c, const User__EndOtherSessionsRequest *in,
                                         Google__Protobuf__Empty *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int64_t ended = 0;

        TRY(db_begin(c, &tx));
        TRY(session_end_others(tx, c->actor, c->session, &ended));
        if (ended > 0) {
                TRY(AUDIT(tx, .action = "sessions.ended",
                          .after = AUDIT_VALUES("ended", arena_printf(c->arena, "%" PRId64, ended))));
        }
        return db_commit(c, NULL, &tx);
}
