/* Authenticates callers. Nothing else sets a call's actor, caller or client address from data sent over the network. */
#include "rpc/rpc.h"

#include "auth/service_token.h"
#include "auth/token.h"
#include "base/address.h"
#include "base/text.h"
#include "rpc/client_address.h"
#include "rpc/rate_limit.h"
#include "rpc/session_uses.h"

enum { MAX_AGENT_BYTES = 256 };

static sn_status identify_service(struct rpc_call *c, const struct rpc_sender *sender)
{
        c->caller = sender->certificate;
        if (sender->service_token.len == 0) {
                return SN_OK;
        }
        return service_token_verify(c, sender->service_token, sender->audience, &c->caller);
}

/* Only our own services may name the client's address. */
static void locate_caller(struct rpc_call *c, const struct rpc_sender *sender)
{
        if (c->caller[0] != '\0') {
                c->client_address = text_clean(c->arena, sender->client_address, ADDRESS_TEXT_SIZE);
                c->user_agent = text_clean(c->arena, sender->client_agent, MAX_AGENT_BYTES);
        } else {
                c->client_address =
                    rpc_client_address(c->arena, sender->peer, sender->forwarded, sender->x_forwarded_for);
                c->user_agent = text_clean(c->arena, sender->user_agent, MAX_AGENT_BYTES);
        }
}

/* The same for when the member's token was verified: sending a body may take longer than a token is valid. */
static int64_t admitted_at(const struct rpc_call *c, const struct rpc_sender *sender)
{
        int64_t at_ms = 0;
        bool told = c->caller[0] != '\0' && str_to_i64(sender->admitted, &at_ms) && at_ms > 0;
        return told ? at_ms : 0;
}

/* RFC 6750, 2.1. */
static sn_status read_bearer(struct rpc_call *c, struct str authorization, struct str *token)
{
        struct str rest = str_trim(authorization), scheme;
        if (!str_next(&rest, ' ', &scheme) || !str_equal_nocase(scheme, STR("Bearer")) || str_trim(rest).len == 0) {
                return rpc_fail_code(c, SN_UNAUTHENTICATED, "token_malformed", NULL,
                                     "the Authorization header must be: Bearer <access token>");
        }
        *token = str_trim(rest);
        return SN_OK;
}

/* Whom a token's failures count against: its address. Once those are used up, a token issued by SoNet counts
 * separately, so that members are not affected by others at their address. */
static const char *payer_of(const struct rpc_call *c, struct str token)
{
        char mark[TOKEN_MARK_SIZE];
        if (!rpc_failures_spent(c, c->client_address) || !token_marked(token, mark)) {
                return c->client_address;
        }
        return arena_strdup(c->arena, mark);
}

static sn_status identify_member(struct rpc_call *c, struct str authorization, const char **payer)
{
        struct token_claims claims;
        struct str token;
        TRY(read_bearer(c, authorization, &token));
        *payer = payer_of(c, token);
        TRY(rpc_check_failures(c, *payer));
        TRY(token_verify_at(c, token, c->admitted_ms > 0 ? c->admitted_ms / 1000 : INT64_MAX, &claims));
        c->actor = arena_strdup(c->arena, claims.subject);
        c->session = arena_strdup(c->arena, claims.session);
        c->scope = arena_strdup(c->arena, claims.scope);
        c->epoch = claims.epoch;
        c->auth_time_s = claims.auth_time_s;
        c->bearer = str_dup(c->arena, token);
        if (c->caller[0] == '\0') { /* otherwise it was recorded where the request came in */
                session_uses_note(c);
        }
        return SN_OK;
}

sn_status rpc_check_session(struct rpc_call *c)
{
        return c->session[0] == '\0' || (!token_session_revoked(c->session) && !token_epoch_ended(c->actor, c->epoch))
                   ? SN_OK
                   : rpc_fail_code(c, SN_UNAUTHENTICATED, "token_revoked", NULL,
                                   "this session has ended; log in again");
}

sn_status rpc_authenticate(struct rpc_call *c, const struct rpc_sender *sender)
{
        c->actor = c->session = c->scope = c->bearer = c->caller = "";
        c->auth_time_s = 0;
        sn_status status = identify_service(c, sender);
        locate_caller(c, sender);
        c->admitted_ms = admitted_at(c, sender);
        const char *payer = c->client_address;
        if (status == SN_OK && sender->authorization.ptr != NULL && !contract_ignores_token(c->method)) {
                status = identify_member(c, sender->authorization, &payer);
        }
        if (status == SN_UNAUTHENTICATED) {
                rpc_count_failure(c, payer);
        }
        return status;
}
