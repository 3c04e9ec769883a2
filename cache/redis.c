/* Commands and pipelines: one connection of the pool for each. What failed after it was sent is not sent again: it may
 * have run. */
#include "cache/redis.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/no_wait.h"
#include "cache/redis_wire.h"

/* Sends all and reads all replies. */
static bool exchange_commands(struct redis_pipeline *p, redisContext *connection, uint64_t generation,
                              struct redisReply **replies)
{
        for (const struct redis_wire_command *command = p->first; command != NULL; command = command->next) {
                if (!redis_wire_send(connection, command, generation)) {
                        return false;
                }
        }
        for (size_t i = 0; i < p->n; i++) {
                replies[i] = redis_wire_receive(p->c->arena, connection);
                if (replies[i] == NULL) {
                        return false;
                }
        }
        return true;
}

/* A server that is loading its data or stuck in a script counts as unreachable. */
static bool server_ready(const struct redis_pipeline *p, struct redisReply *const *replies)
{
        for (size_t i = 0; i < p->n; i++) {
                if (redis_wire_is_error(replies[i], "LOADING") || redis_wire_is_error(replies[i], "BUSY") ||
                    redis_wire_is_error(replies[i], "MASTERDOWN")) {
                        return false;
                }
        }
        return true;
}

static void note_loaded_scripts(const struct redis_pipeline *p, uint64_t generation, struct redisReply *const *replies)
{
        size_t i = 0;
        for (const struct redis_wire_command *command = p->first; command != NULL; command = command->next, i++) {
                if (command->script != NULL && replies[i]->type != REDIS_REPLY_ERROR) {
                        command->script->loaded = generation;
                }
        }
}

static sn_status exchange_checked_out(struct redis_pipeline *p, struct redisReply **replies)
{
        struct redis_checkout checkout;
        if (!redis_checkout_begin(p->r, rpc_call_left_ms(p->c), &checkout)) {
                return redis_wire_away(p->c);
        }
        uint64_t generation = redis_generation(p->r);
        bool answered = exchange_commands(p, checkout.connection, generation, replies);
        bool healthy = answered && server_ready(p, replies);
        if (healthy) {
                note_loaded_scripts(p, generation, replies);
        } else {
                redis_checkout_explain(&checkout, answered ? "Redis is not ready" : checkout.connection->errstr);
        }
        redis_checkout_end(p->r, &checkout, healthy);
        return healthy ? SN_OK : redis_wire_away(p->c);
}

static sn_status run_once(struct redis_pipeline *p, struct redisReply **replies)
{
        if (rpc_call_expired(p->c)) {
                return rpc_fail(p->c, SN_DEADLINE_EXCEEDED, NULL, "the request took too long; please try again");
        }
        if (no_wait_refuses()) {
                return redis_wire_away(p->c);
        }
        int64_t started_us = clock_monotonic_us();
        sn_status status = exchange_checked_out(p, replies);
        metric_observe_us(p->r->seconds, clock_monotonic_us() - started_us);
        if (status == SN_OK) {
                metric_add(p->r->commands, (int64_t)p->n);
        }
        return status;
}

/* Somebody emptied the server's scripts: those are run again with their text, after the others. */
static sn_status run_unknown_scripts(struct redis_pipeline *p, struct redisReply **replies)
{
        size_t i = 0;
        for (struct redis_wire_command *command = p->first; command != NULL; command = command->next, i++) {
                if (command->script == NULL || !redis_wire_is_error(replies[i], "NOSCRIPT")) {
                        continue;
                }
                command->script->loaded = 0;
                struct redis_wire_command alone = *command;
                alone.next = NULL;
                struct redis_pipeline again = {.c = p->c, .r = p->r, .first = &alone, .n = 1};
                TRY(run_once(&again, &replies[i]));
        }
        return SN_OK;
}

static sn_status run_pipeline(struct redis_pipeline *p, struct redisReply **replies)
{
        TRY(run_once(p, replies));
        return run_unknown_scripts(p, replies);
}

struct redis_pipeline *redis_pipeline_new(struct rpc_call *c, struct redis *r)
{
        struct redis_pipeline *p = ARENA_NEW(c->arena, struct redis_pipeline);
        *p = (struct redis_pipeline){.c = c, .r = r, .end = &p->first};
        return p;
}

static void add_command(struct redis_pipeline *p, struct redis_wire_command *command)
{
        *p->end = command;
        p->end = &command->next;
        p->n++;
}

void redis_pipeline_add(struct redis_pipeline *p, int argc, const char *const *argv, const size_t *lengths)
{
        add_command(p, redis_wire_encode(p->c->arena, argc, argv, lengths));
}

void redis_pipeline_add_script(struct redis_pipeline *p, const char *lua, int n_keys, int argc, const char *const *argv,
                               const size_t *lengths)
{
        struct redis_wire_command *command = redis_wire_encode(p->c->arena, argc, argv, lengths);
        command->lua = lua;
        command->n_keys = n_keys;
        command->script = redis_script_entry_of(p->r, lua);
        add_command(p, command);
}

sn_status redis_pipeline_run(struct redis_pipeline *p, size_t *n, struct redisReply ***replies)
{
        CALL_ASSERT_NO_TRANSACTION(p->c);
        *n = 0;
        *replies = NULL;
        if (p->n == 0) {
                return SN_OK;
        }
        struct redisReply **all = ARENA_ARRAY(p->c->arena, struct redisReply *, p->n);
        TRY(run_pipeline(p, all));
        *n = p->n;
        *replies = all;
        return SN_OK;
}

sn_status redis_pipeline_finish(struct redis_pipeline *p)
{
        struct redisReply **replies = NULL;
        size_t n = 0;

        TRY(redis_pipeline_run(p, &n, &replies));
        for (size_t i = 0; i < n; i++) {
                TRY(redis_wire_status(p->c, replies[i]));
        }
        return SN_OK;
}

/* Runs a pipeline of one; an error reply is the call's. */
static sn_status run_single(struct redis_pipeline *p, struct redisReply **reply)
{
        *reply = NULL;
        struct redisReply *only = NULL;
        TRY(run_pipeline(p, &only));
        TRY(redis_wire_status(p->c, only));
        *reply = only;
        return SN_OK;
}

sn_status redis_command(struct rpc_call *c, struct redis *r, int argc, const char *const *argv, const size_t *lengths,
                        struct redisReply **reply)
{
        CALL_ASSERT_NO_TRANSACTION(c);
        struct redis_pipeline p = {.c = c, .r = r, .end = &p.first};
        redis_pipeline_add(&p, argc, argv, lengths);
        return run_single(&p, reply);
}

sn_status redis_script(struct rpc_call *c, struct redis *r, const char *lua, int n_keys, int argc,
                       const char *const *argv, const size_t *lengths, struct redisReply **reply)
{
        CALL_ASSERT_NO_TRANSACTION(c);
        struct redis_pipeline p = {.c = c, .r = r, .end = &p.first};
        redis_pipeline_add_script(&p, lua, n_keys, argc, argv, lengths);
        return run_single(&p, reply);
}
