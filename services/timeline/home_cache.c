/* Owns cached timelines: in memory if this process delivers, and the format of those in Redis. Such a timeline is a
 * string: its build token ('s' and 16 random bytes), a header, and entries of 32 bytes (note ID, author ID) in order
 * of delivery. Delivery appends; readers sort, remove duplicates, and truncate what has grown long. During a build
 * there is only its token ('b' and 16 random bytes), with what was delivered since. */
#include "services/timeline/home_cache.h"

#include <hiredis/hiredis.h>
#include <string.h>
#include "base/service.h"
#include "cache/redis.h"
#include "services/timeline/home_memory.h"
#include "services/timeline/home_sync.h"

#define TOKEN_BYTES  sizeof(((struct home_build *)NULL)->token)
#define HEADER_BYTES (TOKEN_BYTES + 8 + 4 + HOME_ID_BYTES) /* version, day, low-water mark: numbers big-endian */
#define MS_PER_DAY   86400000

/* Delivery appends at most a batch of entries if the string is no longer than the first limit; a build adds its own
 * entries. */
#define APPEND_MAX_BYTES 32768
#define STRING_MAX_BYTES 65536
#define TEXT_OF(x)       #x
#define NUMBER(x)        TEXT_OF(x)

/* Of timelines that are not read; the first read of a day starts it again. */
#define CACHED_LIFE "172800"
#define BUILD_LIFE  "30"

uint32_t home_cache_today(const struct rpc_call *c)
{
        return (uint32_t)(c->now_ms / MS_PER_DAY);
}

/* --- the layout --- */

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

static void new_token(char kind, uint8_t out[TOKEN_BYTES])
{
        char id[UUID_SIZE];

        out[0] = (uint8_t)kind;
        (void)uuid_to_bytes(uuid_new(id), out + 1);
}

#define KEY_PREFIX "tl:home:"
#define KEY_BYTES  (sizeof(KEY_PREFIX) - 1 + UUID_SIZE - 1)

static const char *key_of(struct arena *arena, const char *owner)
{
        char *key = arena_alloc(arena, KEY_BYTES + 1);

        memcpy(key, KEY_PREFIX, sizeof(KEY_PREFIX) - 1);
        memcpy(key + sizeof(KEY_PREFIX) - 1, owner, UUID_SIZE);
        return key;
}

/* The header, and the entries in order of delivery; no more than delivery may have left there. */
static bool is_cached(const redisReply *reply)
{
        return reply->type == REDIS_REPLY_STRING && (size_t)reply->len >= HEADER_BYTES &&
               (size_t)reply->len <= STRING_MAX_BYTES && reply->str[0] == 's' &&
               ((size_t)reply->len - HEADER_BYTES) % sizeof(home_entry) == 0;
}

static void decode_list(struct rpc_call *c, const redisReply *reply, struct home_list *list)
{
        const uint8_t *bytes = (const uint8_t *)reply->str;
        size_t n = ((size_t)reply->len - HEADER_BYTES) / sizeof(home_entry);
        home_entry *entries = ARENA_ARRAY(c->arena, home_entry, n);

        list->header.version = (int64_t)get_number(bytes + TOKEN_BYTES, 8);
        list->header.day = (uint32_t)get_number(bytes + TOKEN_BYTES + 8, 4);
        memcpy(list->header.low_water, bytes + TOKEN_BYTES + 12, HOME_ID_BYTES);
        memcpy(entries, bytes + HEADER_BYTES, n * sizeof(home_entry));
        list->n = home_entries_sort(entries, n);
        list->entries = entries;
}

static uint8_t *encode_list(struct rpc_call *c, const struct home_list *list, size_t *len)
{
        *len = HEADER_BYTES + list->n * sizeof(home_entry);
        uint8_t *out = arena_alloc(c->arena, *len);

        new_token('s', out);
        put_number(out + TOKEN_BYTES, (uint64_t)list->header.version, 8);
        put_number(out + TOKEN_BYTES + 8, list->header.day, 4);
        memcpy(out + TOKEN_BYTES + 12, list->header.low_water, HOME_ID_BYTES);
        memcpy(out + HEADER_BYTES, list->entries, list->n * sizeof(home_entry));
        return out;
}

/* --- reading --- */

/* ARGV: the build token, how much of the string is known, its replacement, the TTL in seconds. What was appended
 * meanwhile stays. */
static const char REPLACE[] = "if redis.call('GETRANGE', KEYS[1], 0, 16) ~= ARGV[1] then return 0 end "
                              "local since = redis.call('GETRANGE', KEYS[1], ARGV[2], -1) "
                              "redis.call('SET', KEYS[1], ARGV[3] .. since, 'EX', ARGV[4]) "
                              "return 1";

static sn_status replace_list(struct rpc_call *c, const char *owner, const uint8_t *token, size_t known,
                              const struct home_list *list)
{
        size_t len;
        const char *key = key_of(c->arena, owner);
        const char *offset = arena_printf(c->arena, "%zu", known);
        const char *value = (const char *)encode_list(c, list, &len);
        const char *argv[] = {key, (const char *)token, offset, value, CACHED_LIFE};
        const size_t lengths[] = {strlen(key), TOKEN_BYTES, strlen(offset), len, strlen(CACHED_LIFE)};
        redisReply *reply = NULL;

        return redis_script(c, c->service->redis, REPLACE, 1, 5, argv, lengths, &reply);
}

static void cut_list(struct home_list *list)
{
        list->entries += list->n - HOME_CACHE_ENTRIES;
        list->n = HOME_CACHE_ENTRIES;
        if (memcmp(list->entries[0], list->header.low_water, HOME_ID_BYTES) > 0) {
                memcpy(list->header.low_water, list->entries[0], HOME_ID_BYTES);
        }
}

/* The first read of a day prolongs the life of the list; a long one is truncated. Best effort: the next reader does it
 * otherwise. */
static void renew_list(struct rpc_call *c, const char *owner, const redisReply *reply, struct home_list *list)
{
        if (list->n <= HOME_CUT_ENTRIES && list->header.day == home_cache_today(c)) {
                return;
        }
        if (list->n > HOME_CUT_ENTRIES) {
                cut_list(list);
        }
        list->header.day = home_cache_today(c);
        if (replace_list(c, owner, (const uint8_t *)reply->str, (size_t)reply->len, list) != SN_OK) {
                c->problem = (struct rpc_problem){0};
        }
}

/* The timeline, and whether it can be trusted, in one round trip. Reads at most what delivery may have left there:
 * anything longer was put there by something else, and would only be sent through Redis, the network and this
 * process to be rejected; the following build replaces it. */
static sn_status fetch_list(struct rpc_call *c, const char *owner, redisReply **reply, bool *believed)
{
        struct redis_pipeline *p = redis_pipeline_new(c, c->service->redis);
        const char *argv[] = {"GETRANGE", key_of(c->arena, owner), "0", NUMBER(STRING_MAX_BYTES)};
        redisReply **replies = NULL;
        size_t n = 0;

        redis_pipeline_add(p, 4, argv, NULL);
        home_sync_ask(c, p);
        TRY(redis_pipeline_run(p, &n, &replies));
        *reply = replies[0];
        *believed = home_sync_is_in_step(c, replies[1]);
        return SN_OK;
}

static sn_status read_redis(struct rpc_call *c, const char *owner, const struct page_scan *scan, bool *found,
                            struct home_header *header, struct refs *out, bool *whole)
{
        uint64_t token = home_memory_token(owner);
        redisReply *reply = NULL;
        struct home_list list;

        TRY(fetch_list(c, owner, &reply, found));
        *found = *found && is_cached(reply);
        if (!*found) {
                return SN_OK;
        }
        decode_list(c, reply, &list);
        *header = list.header;
        home_list_pick(c, &list, scan, out, whole);
        renew_list(c, owner, reply, &list);
        home_memory_put(owner, token, &list);
        return SN_OK;
}

/* Redis may have more of it than memory, further down. */
sn_status home_cache_read(struct rpc_call *c, const char *owner, const struct page_scan *scan, bool *found,
                          struct home_header *header, struct refs *out, bool *whole)
{
        struct home_list list;

        *found = home_memory_get(c, owner, &list);
        if (*found) {
                *header = list.header;
                home_list_pick(c, &list, scan, out, whole);
        }
        return *found && *whole ? SN_OK : read_redis(c, owner, scan, found, header, out, whole);
}

/* --- building --- */

bool home_cache_prepare(struct rpc_call *c, const char *owner, struct home_build *build)
{
        const char *key = key_of(c->arena, owner);
        const char *argv[] = {"SET", key, (const char *)build->token, "EX", BUILD_LIFE};
        const size_t lengths[] = {3, strlen(key), TOKEN_BYTES, 2, strlen(BUILD_LIFE)};
        redisReply *reply = NULL;

        build->memory = home_memory_token(owner);
        new_token('b', build->token);
        build->redis = redis_command(c, c->service->redis, 5, argv, lengths, &reply) == SN_OK;
        c->problem = (struct rpc_problem){0};
        return build->redis || build->memory != 0;
}

void home_cache_store(struct rpc_call *c, const char *owner, const struct home_build *build,
                      const struct home_list *list)
{
        home_memory_put(owner, build->memory, list);
        if (build->redis && replace_list(c, owner, build->token, TOKEN_BYTES, list) != SN_OK) {
                c->problem = (struct rpc_problem){0};
        }
}

/* --- delivery --- */

/* KEYS: timelines, ARGV: the entries of each, or those of all. A cached timeline that was never truncated is deleted:
 * it is not being read. So is anything that is not a string. */
static const char DELIVER[] = "for i, key in ipairs(KEYS) do "
                              "local len = redis.pcall('STRLEN', key) "
                              "if type(len) == 'table' or len > " NUMBER(
                                  APPEND_MAX_BYTES) " then redis.call('DEL', key) "
                                                    "elseif len > 0 then redis.call('APPEND', key, ARGV[i] or ARGV[1]) "
                                                    "end end";

/* Redis runs what it has read, at most a few of these scripts, before it does anything else. */
#define DELIVER_OWNERS  100 /* in one script */
#define DELIVER_SCRIPTS 10  /* in one round trip */

/* How many of the entries have the first one's owner. */
static size_t count_of_owner(TimelineRows__Entry *const *entries, size_t n)
{
        size_t of_owner = 1;

        while (of_owner < n && strcmp(entries[of_owner]->owner_id, entries[0]->owner_id) == 0) {
                of_owner++;
        }
        return of_owner;
}

static const char *encode_entries(struct rpc_call *c, TimelineRows__Entry *const *entries, size_t n)
{
        home_entry *out = ARENA_ARRAY(c->arena, home_entry, n);

        for (size_t i = 0; i < n; i++) {
                home_entry_put(entries[i]->note_id, entries[i]->author_id, out[i]);
        }
        return (const char *)out;
}

/* One entry for each owner, all of one event, whose id they share: the usual case with very many followers. */
static bool have_one_note(TimelineRows__Entry *const *entries, size_t n, size_t owners)
{
        bool one = n == owners;

        for (size_t i = 1; one && i < n; i++) {
                one = entries[i]->note_id == entries[0]->note_id;
        }
        return one;
}

/* Some owners' entries, with one script. Returns the number of entries. */
static size_t add_some(struct rpc_call *c, struct redis_pipeline *p, TimelineRows__Entry *const *entries, size_t n)
{
        const char *argv[2 * DELIVER_OWNERS];
        size_t lengths[2 * DELIVER_OWNERS], first[DELIVER_OWNERS + 1] = {0};
        size_t owners = 0, values;

        for (; owners < DELIVER_OWNERS && first[owners] < n; owners++) {
                argv[owners] = key_of(c->arena, entries[first[owners]]->owner_id);
                lengths[owners] = KEY_BYTES;
                first[owners + 1] = first[owners] + count_of_owner(entries + first[owners], n - first[owners]);
        }
        values = have_one_note(entries, first[owners], owners) ? 1 : owners;
        for (size_t i = 0; i < values; i++) {
                size_t of_owner = first[i + 1] - first[i];

                argv[owners + i] = encode_entries(c, entries + first[i], of_owner);
                lengths[owners + i] = of_owner * sizeof(home_entry);
        }
        redis_pipeline_add_script(p, DELIVER, (int)owners, (int)(owners + values), argv, lengths);
        return first[owners];
}

sn_status home_cache_deliver(struct rpc_call *c, TimelineRows__Entry *const *entries, size_t n)
{
        for (size_t done = 0; done < n;) {
                struct arena_mark mark = arena_mark(c->arena);
                struct redis_pipeline *p = redis_pipeline_new(c, c->service->redis);

                for (int i = 0; i < DELIVER_SCRIPTS && done < n; i++) {
                        done += add_some(c, p, entries + done, n - done);
                }
                TRY(redis_pipeline_finish(p));
                arena_reset(c->arena, mark);
        }
        return SN_OK;
}

/* --- dropping --- */

static sn_status unlink_keys(struct rpc_call *c, const redisReply *keys)
{
        const char **argv = ARENA_ARRAY(c->arena, const char *, keys->elements + 1);
        size_t *lengths = ARENA_ARRAY(c->arena, size_t, keys->elements + 1);
        redisReply *reply = NULL;

        argv[0] = "UNLINK";
        lengths[0] = 6;
        for (size_t i = 0; i < keys->elements; i++) {
                argv[i + 1] = keys->element[i]->str;
                lengths[i + 1] = keys->element[i]->len;
        }
        return keys->elements == 0
                   ? SN_OK
                   : redis_command(c, c->service->redis, (int)keys->elements + 1, argv, lengths, &reply);
}

/* Build tokens go too: their builders may have read PostgreSQL before what was lost, and must not store. */
sn_status home_cache_clear(struct rpc_call *c)
{
        const char *pattern = KEY_PREFIX "*";
        const char *cursor = "0";

        do {
                const char *argv[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"};
                const size_t lengths[] = {4, strlen(cursor), 5, strlen(pattern), 5, 4};
                redisReply *reply = NULL;

                TRY(redis_command(c, c->service->redis, 6, argv, lengths, &reply));
                if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
                        return rpc_fail(c, SN_UNAVAILABLE, NULL, "Redis answered SCAN in an unexpected form");
                }
                cursor = reply->element[0]->str;
                TRY(unlink_keys(c, reply->element[1]));
        } while (strcmp(cursor, "0") != 0);
        return SN_OK;
}
