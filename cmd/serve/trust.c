/* Owns following user_service's log for whatever invalidates access tokens, and the thread that fetches its keys and
 * writes session uses. */
#include "cmd/serve/trust.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "auth/token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ticker.h"
#include "bus/feed.h"
#include "rpc/session_uses.h"
#include "services/user/authors.h"
#include "services/user/user.h"

#define FIRST_MS    20 /* until the first response, which the process waits for */
#define KEYS_US     INT64_C(60000000)
#define DEADLINE_MS 2000
/* How far back a process reads when it starts: four times the lifetime of tokens, since clocks differ. */
#define BACKLOG_S 3600

struct trust {
        struct service *caller;
        struct ticker *ticker;
        int64_t keys_due_us;
        struct bus_feed *feed;
        atomic_bool has_keys, has_log; /* has_log: everything that was invalid when it started is known */
        int64_t old_until;
};

static void fetch_keys(struct trust *trust)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(trust->caller, DEADLINE_MS);
        User__GetJwksRequest in = USER__GET_JWKS_REQUEST__INIT;
        User__Jwks out = USER__JWKS__INIT;

        if (user_get_jwks(c, &in, &out) == SN_OK && token_trust_jwks(out.json) == SN_OK) {
                atomic_store(&trust->has_keys, true);
        } else {
                log_event(LOG_LEVEL_DEBUG, "the user service is not responding: keeping the known keys",
                          LOG_STR("error.message", c->problem.detail != NULL ? c->problem.detail : ""));
        }
}

static void write_uses(struct trust *trust)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(trust->caller, DEADLINE_MS);

        if (trust->caller->redis != NULL) {
                (void)!session_uses_write(c, trust->caller->redis);
        }
}

static int64_t refresh_keys(void *context)
{
        struct trust *trust = context;

        if (clock_monotonic_us() >= trust->keys_due_us) {
                fetch_keys(trust);
                trust->keys_due_us = clock_monotonic_us() + (atomic_load(&trust->has_keys) ? KEYS_US : 0);
        }
        write_uses(trust);
        return atomic_load(&trust->has_keys) ? SESSION_USES_WRITE_MS : FIRST_MS;
}

static void take_event(const bus_event *event, int64_t now_s)
{
        int64_t since_s = event->occurred_at->seconds; /* by the clock of the process that signed the tokens */
        int64_t until_s = (since_s > now_s ? since_s : now_s) + TOKEN_LIFE_S;

        if (strcmp(event->type, EVENT_SESSION_ENDED) == 0) {
                token_revoke_session(event->aggregate_id, until_s);
                session_uses_end(event->aggregate_id);
        } else if (strcmp(event->type, EVENT_EPOCH_RAISED) == 0) {
                token_raise_epoch(event->aggregate_id, event->version, until_s);
        } else if (strcmp(event->type, EVENT_USER_CHANGED) == 0) {
                authors_changed_outside(event->aggregate_id);
        }
}

static void take_events(void *context, struct rpc_call *c, bus_event **events, size_t n, bool old)
{
        struct trust *trust = context;

        for (size_t i = 0; i < n; i++) {
                take_event(events[i], c->now_ms / 1000);
        }
        if (n > 0 && events[n - 1]->position >= trust->old_until) {
                atomic_store(&trust->has_log, true);
        }
}

static void begin_log(void *context, const char *log_id, int64_t position, int64_t old_until)
{
        struct trust *trust = context;

        trust->old_until = old_until;
        if (position >= old_until) {
                atomic_store(&trust->has_log, true);
        }
}

struct trust *trust_new(struct service *caller)
{
        struct trust *trust = calloc(1, sizeof(*trust));

        if (trust != NULL) {
                trust->caller = caller;
                trust->ticker = ticker_new("trust", refresh_keys, trust);
                trust->feed = bus_feed_new(&(struct bus_feed_options){.service = caller,
                                                                      .source = "user",
                                                                      .read_outbox = &user_methods[USER_READ_OUTBOX],
                                                                      .backlog_s = BACKLOG_S,
                                                                      .again = true,
                                                                      .take = take_events,
                                                                      .begin = begin_log,
                                                                      .context = trust});
        }
        return trust;
}

bool trust_ready(const struct trust *trust)
{
        return atomic_load(&trust->has_keys) && atomic_load(&trust->has_log);
}

void trust_free(struct trust *trust)
{
        if (trust != NULL) {
                bus_feed_free(trust->feed);
                ticker_free(trust->ticker);
                write_uses(trust); /* recorded since the last tick */
                free(trust);
        }
}
