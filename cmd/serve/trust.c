/* Owns the thread that follows user_service's ended sessions. */
#include "cmd/serve/trust.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "auth/token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"
#include "services/user/user.rpc.h"

#define EVERY_MS    400
#define FIRST_MS    20 /* until it has answered once: the process waits for that */
#define KEYS_MS     60000
#define DEADLINE_MS 2000
/* Sessions are asked for anew from a little before the last answer: two that end at once may commit in either order. */
#define OVERLAP_MS 5000

struct trust {
        struct service *caller;
        struct ticker *ticker;
        atomic_bool ready;
        int64_t since_ms, keys_at_ms;
};

static sn_status fetch_keys(struct trust *trust, struct rpc_call *c)
{
        User__GetJwksRequest in = USER__GET_JWKS_REQUEST__INIT;
        User__Jwks out = USER__JWKS__INIT;

        if (trust->keys_at_ms != 0 && c->now_ms - trust->keys_at_ms < KEYS_MS) {
                return SN_OK;
        }
        TRY(user_get_jwks(c, &in, &out));
        TRY(token_trust_jwks(out.json));
        trust->keys_at_ms = c->now_ms;
        return SN_OK;
}

static sn_status fetch_ended(struct trust *trust, struct rpc_call *c)
{
        User__ListEndedSessionsRequest in = USER__LIST_ENDED_SESSIONS_REQUEST__INIT;
        User__EndedSessions out = USER__ENDED_SESSIONS__INIT;

        in.since_ms = trust->since_ms != 0 ? trust->since_ms : c->now_ms - TOKEN_LIFE_S * INT64_C(1000);
        TRY(user_list_ended_sessions(c, &in, &out));
        for (size_t i = 0; i < out.n_items; i++) {
                token_revoke_session(out.items[i]->id, out.items[i]->ended_at_ms / 1000 + TOKEN_LIFE_S);
        }
        trust->since_ms = c->now_ms - OVERLAP_MS;
        return SN_OK;
}

static sn_status ask(struct trust *trust, struct rpc_call *c)
{
        TRY(fetch_keys(trust, c));
        return fetch_ended(trust, c);
}

static int64_t follow(void *context)
{
        struct trust *trust = context;
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(trust->caller, DEADLINE_MS);

        if (ask(trust, c) == SN_OK) {
                atomic_store(&trust->ready, true);
        } else {
                log_event(LOG_LEVEL_DEBUG, "user service does not answer; its last word on ended sessions stands",
                          LOG_STR("error.message", c->problem.detail != NULL ? c->problem.detail : ""));
        }
        return trust_ready(trust) ? EVERY_MS : FIRST_MS;
}

struct trust *trust_new(struct service *caller)
{
        struct trust *trust = calloc(1, sizeof(*trust));

        if (trust != NULL) {
                trust->caller = caller;
                trust->ticker = ticker_new("trust", follow, trust);
        }
        return trust;
}

bool trust_ready(const struct trust *trust)
{
        return atomic_load(&trust->ready);
}

void trust_free(struct trust *trust)
{
        if (trust != NULL) {
                ticker_free(trust->ticker);
                free(trust);
        }
}
