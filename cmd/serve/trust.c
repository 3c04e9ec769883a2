/* Owns the thread that follows user_service's ended sessions. */
#include "cmd/serve/trust.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"
#include "bus/bus.h"
#include "services/user/user.rpc.h"

#define EVERY_MS    400
#define FIRST_MS    20 /* until it has answered once: the process waits for that */
#define KEYS_US     60000000
#define DEADLINE_MS 2000
#define PAGE        1000 /* events a call */
/* How far back a process that starts reads: four times as long as tokens live, since clocks differ. */
#define BACKLOG_S 3600

struct trust {
        struct service *caller;
        struct ticker *ticker;
        atomic_bool ready;
        int64_t position; /* of user_service's log, read up to here; 0: begin with what still matters */
        char log_id[UUID_SIZE];
        int64_t keys_at_us;
};

static sn_status fetch_keys(struct trust *trust, struct rpc_call *c)
{
        User__GetJwksRequest in = USER__GET_JWKS_REQUEST__INIT;
        User__Jwks out = USER__JWKS__INIT;

        if (trust->keys_at_us != 0 && clock_monotonic_us() - trust->keys_at_us < KEYS_US) {
                return SN_OK;
        }
        TRY(user_get_jwks(c, &in, &out));
        TRY(token_trust_jwks(out.json));
        trust->keys_at_us = clock_monotonic_us();
        return SN_OK;
}

static void revoke_ended(const bus_event *event, int64_t now_s)
{
        int64_t ended_s = event->occurred_at->seconds; /* by the clock of whoever signed the session's tokens */

        if (strcmp(event->type, "session.ended") == 0) {
                token_revoke_session(event->aggregate_id, (ended_s > now_s ? ended_s : now_s) + TOKEN_LIFE_S);
        }
}

/* A log that took another name, or lacks what was read of it, came from a backup: it is read anew. */
static bool is_same_log(struct trust *trust, const Sonet__Events__ReadOutboxResponse *out)
{
        bool same = strcmp(trust->log_id, out->log_id) == 0 && trust->position <= out->head;

        (void)snprintf(trust->log_id, sizeof(trust->log_id), "%s", out->log_id);
        return same || trust->position == 0;
}

static sn_status fetch_ended(struct trust *trust, struct rpc_call *c, bool *more)
{
        Sonet__Events__ReadOutboxRequest in = SONET__EVENTS__READ_OUTBOX_REQUEST__INIT;
        Sonet__Events__ReadOutboxResponse out = SONET__EVENTS__READ_OUTBOX_RESPONSE__INIT;

        in.after = trust->position;
        in.since_s = BACKLOG_S;
        in.limit = PAGE;
        TRY(user_read_outbox(c, &in, &out));
        if (!is_same_log(trust, &out)) {
                trust->position = 0;
                *more = true;
                return SN_OK;
        }
        for (size_t i = 0; i < out.n_events; i++) {
                revoke_ended(out.events[i], c->now_ms / 1000);
        }
        trust->position = out.n_events > 0 ? out.events[out.n_events - 1]->position : out.head;
        *more = trust->position < out.head;
        return SN_OK;
}

static sn_status fetch_page(struct trust *trust, struct rpc_call *c, bool *more)
{
        TRY(fetch_keys(trust, c));
        return fetch_ended(trust, c, more);
}

static int64_t follow(void *context)
{
        struct trust *trust = context;
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(trust->caller, DEADLINE_MS);

        bool more = false;

        if (fetch_page(trust, c, &more) == SN_OK) {
                if (more) {
                        return 0;
                }
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
