/* Owns whether cached home timelines are trusted.
 *
 * Delivery writes its progress to Redis before PostgreSQL stores it, so a Redis whose progress is behind
 * PostgreSQL's has missed something: it was restored from an old copy, or was unreachable for long. Delivery also
 * renews the server's name (its run ID) twice a second, for a short time each. A restarted server has another name,
 * and is not trusted until its progress was compared. While Redis fails, delivery waits until the name must have
 * expired, and only then continues without it. So whatever happens to either, no reader trusts a timeline that lacks
 * a delivered note. */
#include "services/timeline/home_sync.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/service.h"
#include "base/str.h"
#include "services/timeline/home_cache.h"
#include "services/timeline/home_memory.h"

#define RUN_ID_SIZE 48
#define BELIEF_MS   1500    /* how long the name is valid */
#define DELAY_MS    500     /* how late Redis may execute a command that renews it; after that it refuses */
#define PATIENCE_US 2500000 /* both, and the time for a command */

enum state {
        UNKNOWN, /* Redis must be compared with PostgreSQL's progress */
        IN_STEP, /* it has everything that was delivered */
        BEHIND,  /* it lacks something: cached timelines must be dropped before any is trusted again */
};

/* Private to the delivering thread. */
static struct {
        enum state state;
        char run_id[RUN_ID_SIZE]; /* of the server that was compared */
        int64_t server_ms, at_us; /* its clock, at a time of ours */
        int64_t renewed_us;       /* when the name was last renewed, or may have been */
        bool deliveries_fail, renewals_fail;
} sync;

#define PROGRESS_KEY "tl:sync:progress" /* how far delivery has come, in this Redis; permanent */
#define NAME_KEY     "tl:sync:in-step"  /* which server has all of it; for 1.5 s */

/* ---- Comparing ---- */

static const char LOOK[] = "local t = redis.call('TIME') "
                           "return {string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or '', "
                           "t[1] * 1000 + math.floor(t[2] / 1000), redis.call('GET', KEYS[1]) or ''}";

static bool is_text(const redisReply *reply)
{
        return reply->type == REDIS_REPLY_STRING;
}

/* The server's run ID, its clock, and the progress stored there. */
static sn_status read_redis_state(struct rpc_call *c, struct str *progress)
{
        const char *argv[] = {PROGRESS_KEY};
        const size_t lengths[] = {strlen(argv[0])};
        int64_t at_us = clock_monotonic_us();
        redisReply *reply = NULL;

        TRY(redis_script(c, c->service->redis, LOOK, 1, 1, argv, lengths, &reply));
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || !is_text(reply->element[0]) ||
            !is_text(reply->element[2]) || reply->element[0]->len == 0) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "Redis did not report its run id");
        }
        (void)snprintf(sync.run_id, sizeof(sync.run_id), "%s", reply->element[0]->str);
        sync.server_ms = reply->element[1]->integer;
        sync.at_us = at_us;
        *progress = (struct str){reply->element[2]->str, reply->element[2]->len};
        return SN_OK;
}

static char *write_progress(struct rpc_call *c, const struct bus_progress *p)
{
        return arena_printf(c->arena, "%s %lld %s", p->log_id, (long long)p->position, p->cursor);
}

/* Whether Redis has come at least as far; what PostgreSQL is missing is then delivered again. */
static bool has_all(struct rpc_call *c, struct str text, const struct bus_progress *p)
{
        struct str log_id, number;
        int64_t position = 0;

        if (!str_next(&text, ' ', &log_id) || !str_next(&text, ' ', &number) || !str_to_i64(number, &position) ||
            !str_equal_c(log_id, p->log_id) || position < p->position) {
                return false;
        }
        return position > p->position || strcmp(str_dup(c->arena, text), p->cursor) >= 0;
}

static sn_status compare(struct rpc_call *c, const struct bus_progress *progress)
{
        struct str text;

        TRY(read_redis_state(c, &text));
        sync.state = has_all(c, text, progress) ? IN_STEP : BEHIND;
        return SN_OK;
}

/* ---- Staying in step ---- */

/* ARGV: the server's name, the progress, the latest time on the server's clock, how long the name is valid (0: it is
 * not renewed). */
static const char RENEW[] = "local t = redis.call('TIME') "
                            "local now = t[1] * 1000 + math.floor(t[2] / 1000) "
                            "local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') "
                            "if run ~= ARGV[1] or now > tonumber(ARGV[3]) then return 0 end "
                            "redis.call('SET', KEYS[1], ARGV[2]) "
                            "if ARGV[4] ~= '0' then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4]) end "
                            "return now";

/* *refused: by another server, or one whose clock was changed. */
static sn_status renew(struct rpc_call *c, const struct bus_progress *progress, bool *refused)
{
        bool name = !sync.deliveries_fail && !sync.renewals_fail;
        int64_t at_us = clock_monotonic_us(), until_ms = sync.server_ms + (at_us - sync.at_us) / 1000 + DELAY_MS;
        const char *argv[] = {PROGRESS_KEY,
                              NAME_KEY,
                              sync.run_id,
                              write_progress(c, progress),
                              arena_printf(c->arena, "%lld", (long long)until_ms),
                              arena_printf(c->arena, "%d", name ? BELIEF_MS : 0)};
        size_t lengths[6];
        redisReply *reply = NULL;

        for (size_t i = 0; i < 6; i++) {
                lengths[i] = strlen(argv[i]);
        }
        sync.renewed_us = name ? at_us : sync.renewed_us;
        sync.renewals_fail = true;
        TRY(redis_script(c, c->service->redis, RENEW, 2, 6, argv, lengths, &reply));
        sync.renewals_fail = false;
        *refused = reply->type != REDIS_REPLY_INTEGER || reply->integer == 0;
        if (!*refused) {
                sync.server_ms = reply->integer;
                sync.at_us = at_us;
        }
        return SN_OK;
}

/* A short failure of Redis is waited out; an unreachable Redis must not delay what PostgreSQL can store. */
static sn_status fail_for_now(struct rpc_call *c, const char *what)
{
        if (clock_monotonic_us() - sync.renewed_us < PATIENCE_US) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "Redis did not accept %s", what);
        }
        if (sync.state != BEHIND) {
                log_event(LOG_LEVEL_WARN,
                          "home timelines in Redis are out of date: reading from PostgreSQL until Redis is back");
        }
        sync.state = BEHIND;
        c->problem = (struct rpc_problem){0};
        return SN_OK;
}

static sn_status stay_in_step(struct rpc_call *c, const struct bus_progress *progress)
{
        bool refused = false;

        if (renew(c, progress, &refused) != SN_OK) {
                return fail_for_now(c, "the progress of delivery");
        }
        if (refused && compare(c, progress) != SN_OK) {
                sync.state = UNKNOWN;
                return fail_for_now(c, "a comparison");
        }
        return SN_OK;
}

/* ---- Catching up ---- */

/* The progress is deleted first, and restored only after everything else is done. */
static sn_status start_over(struct rpc_call *c, const struct bus_progress *progress)
{
        const char *argv[] = {"SET", PROGRESS_KEY, "behind"};
        redisReply *reply = NULL;
        struct str before;
        bool refused = false;

        TRY(read_redis_state(c, &before));
        TRY(redis_command(c, c->service->redis, 3, argv, NULL, &reply));
        TRY(home_cache_clear(c));
        sync.deliveries_fail = sync.renewals_fail = false;
        TRY(renew(c, progress, &refused));
        sync.state = refused ? BEHIND : IN_STEP;
        return SN_OK;
}

static void try_to_catch_up(struct rpc_call *c, const struct bus_progress *progress)
{
        if (start_over(c, progress) != SN_OK) {
                c->problem = (struct rpc_problem){0}; /* the next checkpoint retries */
        } else if (sync.state == IN_STEP) {
                log_event(LOG_LEVEL_INFO, "home timelines in Redis were dropped; they are rebuilt as they are read");
        }
}

/* ---- For delivery ---- */

sn_status home_sync_deliver(struct rpc_call *c, TimelineRows__Entry *const *entries, size_t n)
{
        if (n > 0 && sync.state != BEHIND) {
                sync.deliveries_fail = home_cache_deliver(c, entries, n) != SN_OK;
                TRY(sync.deliveries_fail ? fail_for_now(c, "a delivery") : SN_OK);
        }
        home_memory_deliver(entries, n);
        return SN_OK;
}

sn_status home_sync_checkpoint(struct rpc_call *c, const struct bus_progress *progress, bool first)
{
        if (first) { /* another process may just have renewed the name */
                home_memory_begin(progress->term);
                memset(&sync, 0, sizeof(sync));
                sync.renewed_us = clock_monotonic_us();
        }
        if (sync.state == UNKNOWN && compare(c, progress) != SN_OK) {
                return first ? SN_OK : fail_for_now(c, "a comparison");
        }
        if (sync.state == IN_STEP) {
                return stay_in_step(c, progress);
        }
        try_to_catch_up(c, progress);
        return SN_OK;
}

/* ---- For readers ---- */

void home_sync_ask(struct rpc_call *c, struct redis_pipeline *p)
{
        redis_pipeline_add(p, 2, (const char *[]){"GET", NAME_KEY}, NULL);
}

bool home_sync_is_in_step(struct rpc_call *c, const redisReply *answer)
{
        return is_text(answer) && redis_is_server(c->service->redis, answer->str, answer->len);
}
