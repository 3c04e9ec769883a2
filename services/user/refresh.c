/* Owns refreshing tokens: each refresh token works once, and again, with the same response, for a client that lost
 * the response and has the session's key. */
#include "services/user/user.h"

#include <string.h>
#include "auth/token.h"
#include "services/user/audit.h"
#include "services/user/mails.h"
#include "services/user/refresh_again.h"
#include "services/user/session.h"
#include "services/user/store.h"

static sn_status fail_refresh(struct rpc_call *c, const char *code, const char *detail)
{
        return rpc_fail_code(c, SN_UNAUTHENTICATED, code, "refresh_token", "%s", detail);
}

static sn_status unknown_token(struct rpc_call *c)
{
        return fail_refresh(c, "refresh_token_unknown", "was not issued by this server; log in again");
}

static sn_status wrong_key(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_UNAUTHENTICATED, "client_key_wrong", "client_key",
                             "does not belong to the session of this refresh token; nothing has changed");
}

static void describe_session(const UserRows__RefreshState *state, struct session *session)
{
        *session = (struct session){.auth_time_s = state->proved_s};
        memcpy(session->id, state->session_id, sizeof(session->id));
        memcpy(session->salt, state->salt.data, sizeof(session->salt));
        memcpy(session->device, state->device_id, sizeof(session->device));
}

/* A session has a maximum age, even if it is in use: then its user must authenticate again. */
static sn_status end_outlived(struct rpc_call *c, const UserRows__RefreshState *state, struct db_tx **tx)
{
        bool ended = false;

        TRY(session_end(*tx, state->session_id, state->user->id, &ended));
        TRY(db_commit(c, NULL, tx));
        return fail_refresh(c, "session_ended", "belongs to a session that has reached its maximum age; log in again");
}

/* An old token that was really issued: two parties have it, and one of them should not. */
static sn_status end_reused(struct rpc_call *c, const UserRows__RefreshState *state, struct db_tx **tx)
{
        bool ended = false;

        TRY(session_end(*tx, state->session_id, state->user->id, &ended));
        TRY(AUDIT(*tx, .action = "session.refresh_token_reused", .subject_id = state->user->id,
                  .after = AUDIT_VALUES("session", state->session_id)));
        TRY(notify_owner(*tx, state->user->id, OWNER_REFRESH_TOKEN_REUSED));
        TRY(db_commit(c, NULL, tx));
        return fail_refresh(c, "refresh_token_reused",
                            "was already used; the session was ended to protect you; log in again");
}

static sn_status rotate(struct rpc_call *c, const UserRows__RefreshState *state, struct session *session,
                        struct db_tx **tx, User__Login *out)
{
        uint32_t next = (uint32_t)state->generation + 1;
        size_t len = 0;

        TRY(store_lock_rights(*tx, state->user->id, session));
        TRY(session_answer(c, session, next, state->user, out));
        const uint8_t *sealed = refresh_again_seal(c->arena, session, next, out->access_token, &len);

        TRY(store_rotate(*tx, state->session_id, sealed, len));
        return db_commit(c, NULL, tx);
}

/* The response of the previous rotation, with the same tokens. If its access token was invalidated since, by a new
 * role for instance, there is a new one with the same refresh token. */
static sn_status answer_again(struct db_tx *tx, const UserRows__RefreshState *state, struct session *session,
                              User__Login *out)
{
        struct rpc_call *c = db_call(tx), aside = {.arena = c->arena};
        uint32_t generation = (uint32_t)state->generation;
        struct token_claims claims;
        char *token = refresh_again_open(c->arena, session, generation, state->answer.data, state->answer.len);

        TRY(store_lock_rights(tx, state->user->id, session));
        TRY(session_answer(c, session, generation, state->user, out));
        if (token != NULL && token_verify(&aside, str_of(token), &claims) == SN_OK && claims.epoch == session->epoch) {
                out->access_token = token;
                out->expires_in = claims.expires_s - c->now_ms / 1000;
        }
        return SN_OK;
}

sn_status user_handle_refresh(struct rpc_call *c, const User__RefreshRequest *in, User__Login *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        UserRows__RefreshState state = USER_ROWS__REFRESH_STATE__INIT;
        struct refresh_token token;
        struct session session;
        bool found = false, with_key = in->client_key[0] != '\0';

        if (!refresh_token_parse(in->refresh_token, &token)) {
                return unknown_token(c);
        }
        TRY(db_begin(c, &tx));
        TRY(store_refresh_state(tx, token.session, &state, &found));
        if (!found || !refresh_token_issued(&token, state.salt.data, state.salt.len)) {
                return unknown_token(c);
        }
        if (state.ended) {
                return fail_refresh(c, "session_ended", "belongs to a session that has ended; log in again");
        }
        if (state.age_days >= session_days()) {
                return end_outlived(c, &state, &tx);
        }
        describe_session(&state, &session);
        bool holds_key = with_key && client_key_is(in->client_key, &session);

        if (token.generation == state.generation) {
                return with_key && !holds_key ? wrong_key(c) : rotate(c, &state, &session, &tx, out);
        }
        bool again = token.generation + INT64_C(1) == state.generation && state.rotated_ms < REFRESH_AGAIN_MS;

        return again && holds_key ? answer_again(tx, &state, &session, out) : end_reused(c, &state, &tx);
}
