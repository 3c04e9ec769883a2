/* Credentials to identity. Nothing else sets a call's actor or caller from what came over a wire. */
#include "rpc/rpc.h"

#include "auth/service_token.h"
#include "auth/token.h"

/* "Bearer x" and "x" both give x: HTTP and gRPC carry the scheme, tests and tools often do not. */
static struct str without_scheme(struct str credentials)
{
        static const struct str scheme = STR("Bearer ");
        struct str s = str_trim(credentials);
        if (s.len >= scheme.len && str_equal_nocase((struct str){s.ptr, scheme.len}, scheme)) {
                s = str_trim((struct str){s.ptr + scheme.len, s.len - scheme.len});
        }
        return s;
}

static sn_status authenticate_member(struct rpc_call *c, struct str token)
{
        struct token_claims claims;
        TRY(token_verify(c, token, &claims));
        c->actor = arena_strdup(c->arena, claims.subject);
        c->session = arena_strdup(c->arena, claims.session);
        c->scope = arena_strdup(c->arena, claims.scope);
        c->bearer = str_dup(c->arena, token);
        return SN_OK;
}

sn_status rpc_authenticate(struct rpc_call *c, struct str bearer, struct str service_token, const char *audience)
{
        c->actor = c->session = c->scope = c->bearer = c->caller = "";
        struct str token = without_scheme(bearer);
        /* A scheme without a token is a bad token, not a missing one. */
        if (bearer.len > 0 && !contract_ignores_token(c->method)) {
                TRY(authenticate_member(c, token));
        }
        if (service_token.len > 0) {
                TRY(service_token_verify(c, service_token, audience, &c->caller));
        }
        return SN_OK;
}
