/* Owns the layout of the sets. All scores are 0, so Redis sorts by bytes: the header's first byte is 0, below that of
 * any version 7 id of this century; entries are 16 bytes of note id, 16 of author id. */
#include "services/timeline/home_cache.h"

#include <hiredis/hiredis.h>
#include <stdatomic.h>
#include <string.h>
#include "base/service.h"
#include "cache/redis.h"
#include "services/timeline/store.h"

#define HEADER_BYTES 14 /* 0, version (8, big-endian), day (4), complete (1) */
#define ENTRY_BYTES  32
#define MS_PER_DAY   86400000

/* Sets lie after a delivery that did not reach them, and after Redis came back: it may have been restored from a copy
 * of long ago. Each such loss is counted; until it is recovered from, no set is read. At the start there is one: an
 * earlier process may have ended between a loss and its recovery. */
static atomic_uint_fast64_t missed = 1, recovered;

static uint64_t losses(const struct rpc_call *c)
{
        return atomic_load(&missed) + redis_generation(c->service->redis);
}

uint32_t home_cache_today(const struct rpc_call *c)
{
        return (uint32_t)(c->now_ms / MS_PER_DAY);
}

static void put_number(uint8_t *out, uint64_t value, int bytes)
{
        for (int i = 0; i < bytes; i++) {
                out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
        }
}

static uint64_t get_number(const uint8_t *in, int bytes)
{
        uint64_t value = 0;

        for (int i = 0; i < bytes; i++) {
                value = value << 8 | in[i];
        }
        return value;
}

static void encode_header(const struct home_header *header, uint8_t out[HEADER_BYTES])
{
        out[0] = 0;
        put_number(out + 1, (uint64_t)header->version, 8);
        put_number(out + 9, header->day, 4);
        out[13] = header->complete;
}

static bool decode_header(const redisReply *reply, struct home_header *header)
{
        const redisReply *member = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0] : NULL;
        const uint8_t *bytes = NULL;

        if (member == NULL || member->type != REDIS_REPLY_STRING || member->len != HEADER_BYTES) {
                return false;
        }
        bytes = (const uint8_t *)member->str;
        *header =
            (struct home_header){(int64_t)get_number(bytes + 1, 8), (uint32_t)get_number(bytes + 9, 4), bytes[13] != 0};
        return true;
}

static void decode_entries(struct rpc_call *c, const redisReply *reply, struct refs *out)
{
        size_t n = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
        Note__NoteRef *all = ARENA_ARRAY(c->arena, Note__NoteRef, n);
        char(*texts)[UUID_SIZE] = arena_alloc_array(c->arena, 2 * n, UUID_SIZE);

        *out = (struct refs){.items = ARENA_ARRAY(c->arena, Note__NoteRef *, n)};
        for (size_t i = 0; i < n; i++) {
                const redisReply *member = reply->element[i];
                Note__NoteRef *ref = &all[out->n];

                if (member->type != REDIS_REPLY_STRING || member->len != ENTRY_BYTES) {
                        continue;
                }
                note__note_ref__init(ref);
                ref->id = uuid_from_bytes((const uint8_t *)member->str, texts[2 * i]);
                ref->author_id = uuid_from_bytes((const uint8_t *)member->str + 16, texts[2 * i + 1]);
                out->items[out->n++] = ref;
        }
}

sn_status home_cache_read(struct rpc_call *c, const char *owner, const char *before_id, size_t limit, bool *found,
                          struct home_header *header, struct refs *out)
{
        struct redis_pipeline *p = redis_pipeline_new(c, c->service->redis);
        const char *key = redis_key(c->arena, REDIS_KEY_TIMELINE_HOME, owner);
        const char *count = arena_printf(c->arena, "%zu", limit);
        const char *head[] = {"ZRANGEBYLEX", key, "-", "(\x01"};
        const size_t head_len[] = {11, strlen(key), 1, 2};
        uint8_t from[17] = {'('};
        bool paged = uuid_to_bytes(before_id, from + 1);
        const char *entries[] = {"ZREVRANGEBYLEX", key, paged ? (const char *)from : "+", "[\x01", "LIMIT", "0", count};
        const size_t entries_len[] = {14, strlen(key), paged ? sizeof(from) : 1, 2, 5, 1, strlen(count)};
        uint64_t before = losses(c);
        redisReply **replies = NULL;
        size_t n = 0;

        *found = false;
        if (before != atomic_load(&recovered)) {
                return SN_OK;
        }
        redis_pipeline_add(p, 4, head, head_len);
        redis_pipeline_add(p, 7, entries, entries_len);
        TRY(redis_pipeline_run(p, &n, &replies));
        *found = n == 2 && decode_header(replies[0], header) && losses(c) == before;
        if (*found) {
                decode_entries(c, replies[1], out);
        }
        return SN_OK;
}

sn_status home_cache_prepare(struct rpc_call *c, const char *owner, char token[UUID_SIZE])
{
        const char *key = redis_key(c->arena, REDIS_KEY_TIMELINE_BUILD, owner);
        const char *argv[] = {"SET", key, uuid_new(token), "EX", "30"};
        const size_t len[] = {3, strlen(key), UUID_SIZE - 1, 2, 2};
        redisReply *reply = NULL;

        return redis_command(c, c->service->redis, 5, argv, len, &reply);
}

/* KEYS: set, token. ARGV: token, then members. A set that nobody reads for 40 days goes: its owner is stale by then. */
static const char STORE[] = "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end "
                            "redis.call('DEL', KEYS[1], KEYS[2]) "
                            "for i = 2, #ARGV do redis.call('ZADD', KEYS[1], 0, ARGV[i]) end "
                            "redis.call('EXPIRE', KEYS[1], 3456000) "
                            "return 1";

sn_status home_cache_store(struct rpc_call *c, const char *owner, const char *token, const struct home_header *header,
                           const struct refs *refs)
{
        size_t argc = 4 + refs->n;
        const char **argv = ARENA_ARRAY(c->arena, const char *, argc);
        size_t *len = ARENA_ARRAY(c->arena, size_t, argc);
        uint8_t *members = arena_alloc_array(c->arena, refs->n + 1, ENTRY_BYTES);
        redisReply *reply = NULL;

        argv[0] = redis_key(c->arena, REDIS_KEY_TIMELINE_HOME, owner);
        argv[1] = redis_key(c->arena, REDIS_KEY_TIMELINE_BUILD, owner);
        argv[2] = token;
        argv[3] = (const char *)members;
        encode_header(header, members);
        for (size_t i = 0; i < 3; i++) {
                len[i] = strlen(argv[i]);
        }
        len[3] = HEADER_BYTES;
        for (size_t i = 0; i < refs->n; i++) {
                uint8_t *member = members + (i + 1) * ENTRY_BYTES;

                uuid_to_bytes(refs->items[i]->id, member);
                uuid_to_bytes(refs->items[i]->author_id, member + 16);
                argv[4 + i] = (const char *)member;
                len[4 + i] = ENTRY_BYTES;
        }
        return redis_script(c, c->service->redis, STORE, 2, (int)argc, argv, len, &reply);
}

/* KEYS: set, token. ARGV: entry. The token goes in any case: whoever builds now may have read PostgreSQL before this
 * entry. What comes late and lies below a set that is not complete stays out: others that belong before it are not in
 * the set either. A set that grew too long is cut to the tail, and is complete no more. */
static const char DELIVER[] = "redis.call('DEL', KEYS[2]) "
                              "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end "
                              "if redis.call('ZADD', KEYS[1], 0, ARGV[1]) == 0 then return 1 end "
                              "local head = redis.call('ZRANGE', KEYS[1], 0, 0)[1] "
                              "if string.byte(head, -1) == 0 and redis.call('ZRANK', KEYS[1], ARGV[1]) == 1 then "
                              "redis.call('ZREM', KEYS[1], ARGV[1]) "
                              "return 1 "
                              "end "
                              "local n = redis.call('ZCARD', KEYS[1]) "
                              "if n > 1001 then "
                              "redis.call('ZREMRANGEBYRANK', KEYS[1], 0, n - 801) "
                              "redis.call('ZADD', KEYS[1], 0, string.sub(head, 1, -2) .. '\\0') "
                              "end "
                              "return 1";

#define DELIVER_BATCH 500

static sn_status deliver(struct rpc_call *c, TimelineRows__Owner *const *owners, size_t n, const char *note_id,
                         const char *author_id)
{
        uint8_t entry[ENTRY_BYTES];

        uuid_to_bytes(note_id, entry);
        uuid_to_bytes(author_id, entry + 16);
        for (size_t done = 0; done < n; done += DELIVER_BATCH) {
                struct redis_pipeline *p = redis_pipeline_new(c, c->service->redis);
                redisReply **replies = NULL;
                size_t n_replies = 0;

                for (size_t i = done; i < n && i < done + DELIVER_BATCH; i++) {
                        const char *argv[] = {redis_key(c->arena, REDIS_KEY_TIMELINE_HOME, owners[i]->owner_id),
                                              redis_key(c->arena, REDIS_KEY_TIMELINE_BUILD, owners[i]->owner_id),
                                              (const char *)entry};
                        const size_t len[] = {strlen(argv[0]), strlen(argv[1]), ENTRY_BYTES};

                        redis_pipeline_add_script(p, DELIVER, 2, 3, argv, len);
                }
                TRY(redis_pipeline_run(p, &n_replies, &replies));
                for (size_t i = 0; i < n_replies; i++) {
                        if (replies[i]->type == REDIS_REPLY_ERROR) {
                                return rpc_fail(c, SN_UNAVAILABLE, NULL, "Redis refused a delivery");
                        }
                }
        }
        return SN_OK;
}

sn_status home_cache_deliver(struct rpc_call *c, TimelineRows__Owner *const *owners, size_t n, const char *note_id,
                             const char *author_id)
{
        sn_status status = deliver(c, owners, n, note_id, author_id);

        if (status != SN_OK) {
                atomic_fetch_add(&missed, 1);
        }
        return status;
}

static sn_status unlink_keys(struct rpc_call *c, const redisReply *keys)
{
        const char **argv = ARENA_ARRAY(c->arena, const char *, keys->elements + 1);
        size_t *len = ARENA_ARRAY(c->arena, size_t, keys->elements + 1);
        redisReply *reply = NULL;

        argv[0] = "UNLINK";
        len[0] = 6;
        for (size_t i = 0; i < keys->elements; i++) {
                argv[i + 1] = keys->element[i]->str;
                len[i + 1] = keys->element[i]->len;
        }
        return keys->elements == 0 ? SN_OK
                                   : redis_command(c, c->service->redis, (int)keys->elements + 1, argv, len, &reply);
}

static sn_status clear(struct rpc_call *c, enum redis_key_name name)
{
        const char *pattern = redis_key(c->arena, name, "*");
        const char *cursor = "0";

        do {
                const char *argv[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"};
                const size_t len[] = {4, strlen(cursor), 5, strlen(pattern), 5, 4};
                redisReply *reply = NULL;

                TRY(redis_command(c, c->service->redis, 6, argv, len, &reply));
                if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
                        return rpc_fail(c, SN_UNAVAILABLE, NULL, "Redis gave an answer to SCAN that is none");
                }
                cursor = reply->element[0]->str;
                TRY(unlink_keys(c, reply->element[1]));
        } while (strcmp(cursor, "0") != 0);
        return SN_OK;
}

/* The tokens first: whoever left one before now may have read PostgreSQL before what was lost, and must not store. */
sn_status home_cache_recover(struct rpc_call *c)
{
        uint64_t now = losses(c);

        if (now == atomic_load(&recovered)) {
                return SN_OK;
        }
        TRY(clear(c, REDIS_KEY_TIMELINE_BUILD));
        TRY(clear(c, REDIS_KEY_TIMELINE_HOME));
        atomic_store(&recovered, now);
        return SN_OK;
}
