/* Owns the record of session uses: a static table with one slot per hash of a session, whose pages are touched only
 * when used, and a bit per slot that must be written. */
#include "rpc/session_uses.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "auth/token.h"
#include "base/address.h"
#include "base/str.h"
#include "cache/redis.h"

enum {
        SLOTS = 8192,
        WORD_BITS = 64,
        WORDS = SLOTS / WORD_BITS,
        AGENT_SIZE = 257, /* rpc_authenticate keeps 256 bytes */
        NOTE_MS = 1000,   /* a session used more often is recorded once in this time */
};
#define KEEP_S "86400" /* by then the database's value is precise enough */

struct use {
        char session[UUID_SIZE];
        int64_t at_ms;
        char address[ADDRESS_TEXT_SIZE], user_agent[AGENT_SIZE];
};

static struct use uses[SLOTS];
static _Atomic uint64_t waiting[WORDS]; /* slots to be written */
static struct {
        _Alignas(64) pthread_mutex_t mutex;
} locks[WORDS] = {[0 ... WORDS - 1] = {PTHREAD_MUTEX_INITIALIZER}};

/* IDs are version 7: their end is random. */
static size_t slot_of(const char *session)
{
        uint64_t tail;

        memcpy(&tail, session + UUID_SIZE - 1 - sizeof(tail), sizeof(tail));
        return (size_t)((tail * UINT64_C(0x9E3779B97F4A7C15)) >> 32) % SLOTS;
}

static uint64_t bit_of(size_t slot)
{
        return UINT64_C(1) << (slot % WORD_BITS);
}

static bool is_waiting(size_t slot)
{
        return (atomic_load(&waiting[slot / WORD_BITS]) & bit_of(slot)) != 0;
}

static void set_waiting(size_t slot)
{
        (void)atomic_fetch_or(&waiting[slot / WORD_BITS], bit_of(slot));
}

/* Under the slot's lock. */
static void note(const struct rpc_call *c, size_t slot)
{
        struct use *use = &uses[slot];
        bool same = memcmp(use->session, c->session, UUID_SIZE) == 0;

        if ((same && c->now_ms - use->at_ms < NOTE_MS) || (!same && is_waiting(slot))) {
                return;
        }
        memcpy(use->session, c->session, UUID_SIZE);
        use->at_ms = c->now_ms;
        (void)snprintf(use->address, sizeof(use->address), "%s", c->client_address);
        (void)snprintf(use->user_agent, sizeof(use->user_agent), "%s", c->user_agent);
        set_waiting(slot);
}

void session_uses_note(const struct rpc_call *c)
{
        if (strlen(c->session) == UUID_SIZE - 1) {
                size_t slot = slot_of(c->session);

                pthread_mutex_lock(&locks[slot / WORD_BITS].mutex);
                note(c, slot);
                pthread_mutex_unlock(&locks[slot / WORD_BITS].mutex);
        }
}

void session_uses_end(const char *session)
{
        size_t slot = slot_of(session);

        pthread_mutex_lock(&locks[slot / WORD_BITS].mutex);
        if (strcmp(uses[slot].session, session) == 0) {
                set_waiting(slot);
        }
        pthread_mutex_unlock(&locks[slot / WORD_BITS].mutex);
}

/* ---- Writing ---- */

static char *key_of(struct arena *arena, const char *session)
{
        return arena_printf(arena, "su:%s", session);
}

static void add_to_write(struct rpc_call *c, struct redis_pipeline *p, const struct use *use)
{
        const char *key = key_of(c->arena, use->session);
        const char *value = arena_printf(c->arena, "%" PRId64 "\n%s\n%s", use->at_ms, use->address, use->user_agent);

        if (token_session_revoked(use->session)) {
                redis_pipeline_add(p, 2, (const char *[]){"DEL", key}, NULL);
        } else {
                redis_pipeline_add(p, 5, (const char *[]){"SET", key, value, "EX", KEEP_S}, NULL);
        }
}

/* Writes the slots of one word. What Redis did not accept stays waiting. */
static sn_status write_word(struct rpc_call *c, struct redis *redis, size_t word)
{
        struct redis_pipeline *p = redis_pipeline_new(c, redis);
        struct redisReply **replies = NULL;
        size_t n = 0;

        pthread_mutex_lock(&locks[word].mutex);
        uint64_t bits = atomic_exchange(&waiting[word], 0);
        for (size_t i = 0; i < WORD_BITS; i++) {
                if ((bits >> i & 1) != 0) {
                        add_to_write(c, p, &uses[word * WORD_BITS + i]);
                }
        }
        pthread_mutex_unlock(&locks[word].mutex);
        sn_status status = redis_pipeline_run(p, &n, &replies);
        if (status != SN_OK) {
                (void)atomic_fetch_or(&waiting[word], bits);
        }
        return status;
}

sn_status session_uses_write(struct rpc_call *c, struct redis *redis)
{
        for (size_t word = 0; word < WORDS; word++) {
                if (atomic_load(&waiting[word]) != 0) {
                        TRY(write_word(c, redis, word));
                }
        }
        return SN_OK;
}

/* ---- Reading ---- */

static void parse_use(struct rpc_call *c, const struct redisReply *reply, struct session_use *use)
{
        struct str rest = {reply->str, reply->type == REDIS_REPLY_STRING ? (size_t)reply->len : 0}, number, address;
        int64_t at_ms = 0;

        if (str_next(&rest, '\n', &number) && str_to_i64(number, &at_ms) && str_next(&rest, '\n', &address)) {
                use->at_ms = at_ms < c->now_ms ? at_ms : c->now_ms;
                use->address = str_dup(c->arena, address);
                use->user_agent = str_dup(c->arena, rest);
        }
}

struct session_use *session_uses_read(struct rpc_call *c, struct redis *redis, char *const *sessions, size_t n)
{
        struct session_use *known = ARENA_ARRAY(c->arena, struct session_use, n);
        const char **argv = ARENA_ARRAY(c->arena, const char *, n + 1);
        struct rpc_call aside = {CALL_OF_NOBODY, .arena = c->arena, .deadline_us = c->deadline_us};
        struct redisReply *reply = NULL;

        argv[0] = "MGET";
        for (size_t i = 0; i < n; i++) {
                argv[i + 1] = key_of(c->arena, sessions[i]);
        }
        if (n > 0 && redis != NULL && redis_command(&aside, redis, (int)n + 1, argv, NULL, &reply) == SN_OK) {
                for (size_t i = 0; i < n && i < reply->elements; i++) {
                        parse_use(c, reply->element[i], &known[i]);
                }
        }
        return known;
}
