/* What invalidates tokens early: sessions that were ended, and members whose epoch was raised, each with the time at
 * which the last affected token expires. Checked on every call, so the usual case, nothing revoked lately, costs one
 * atomic read. An entry in force is never dropped: the table grows instead. */
#include "auth/token.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { SHARDS = 16, FIRST_CAPACITY = 16, ID_BYTES = 16 };

struct entry {
        uint8_t id[ID_BYTES]; /* of a session or a member */
        int64_t epoch;        /* tokens of lower epochs are invalid */
        int64_t until_s;      /* 0: free */
};

/* Open addressing, at most half full. */
struct shard {
        _Alignas(64) pthread_mutex_t mutex;
        struct entry *entries;
        size_t capacity; /* a power of two, or 0 */
        size_t used;
};

static struct shard shards[SHARDS] = {[0 ... SHARDS - 1] = {.mutex = PTHREAD_MUTEX_INITIALIZER}};
static _Atomic int64_t last_until_s; /* nothing is revoked beyond this time */
static _Atomic uint64_t revocations;

/* Ids are version 7, drawn by SoNet: the last eight bytes are random. */
static uint64_t hash_of(const uint8_t id[ID_BYTES])
{
        uint64_t tail;
        memcpy(&tail, id + ID_BYTES - sizeof(tail), sizeof(tail));
        return tail * 0x9E3779B97F4A7C15u;
}

static struct shard *shard_of(uint64_t hash)
{
        return &shards[(hash >> 56) % SHARDS];
}

/* The id's entry, or the free one where it belongs. The shard has one free entry at least. */
static struct entry *find_entry(const struct shard *shard, const uint8_t id[ID_BYTES])
{
        size_t at = (size_t)(hash_of(id) >> 16);
        for (;; at++) {
                struct entry *e = &shard->entries[at & (shard->capacity - 1)];
                if (e->until_s == 0 || memcmp(e->id, id, ID_BYTES) == 0) {
                        return e;
                }
        }
}

/* Makes a table with room for one more, from the entries still in force. */
static void rebuild_shard(struct shard *shard, int64_t now_s)
{
        struct shard old = {.entries = shard->entries, .capacity = shard->capacity};
        size_t live = 0;
        for (size_t i = 0; i < old.capacity; i++) {
                live += old.entries[i].until_s >= now_s;
        }
        shard->capacity = FIRST_CAPACITY;
        while (shard->capacity < 4 * (live + 1)) {
                shard->capacity *= 2;
        }
        shard->entries = calloc(shard->capacity, sizeof(*shard->entries));
        if (shard->entries == NULL) {
                fputs("sonet: out of memory\n", stderr); /* better no server than one that forgets revocations */
                abort();
        }
        shard->used = live;
        for (size_t i = 0; i < old.capacity; i++) {
                if (old.entries[i].until_s >= now_s) {
                        *find_entry(shard, old.entries[i].id) = old.entries[i];
                }
        }
        free(old.entries);
}

#define EVERY_EPOCH INT64_MAX /* for a session: it has ended for good */

static void put_entry(const char *text, int64_t epoch, int64_t until_s)
{
        uint8_t id[ID_BYTES];
        int64_t now_s = clock_wall_ms() / 1000;
        if (!uuid_to_bytes(text, id) || until_s < now_s) {
                return;
        }
        struct shard *shard = shard_of(hash_of(id));
        pthread_mutex_lock(&shard->mutex);
        if (2 * (shard->used + 1) > shard->capacity) {
                rebuild_shard(shard, now_s);
        }
        struct entry *e = find_entry(shard, id);
        if (e->until_s == 0) {
                memcpy(e->id, id, ID_BYTES);
                e->epoch = epoch;
                shard->used++;
        }
        e->epoch = e->epoch < epoch ? epoch : e->epoch;
        e->until_s = e->until_s < until_s ? until_s : e->until_s;
        pthread_mutex_unlock(&shard->mutex);

        int64_t last = atomic_load(&last_until_s);
        while (last < until_s && !atomic_compare_exchange_weak(&last_until_s, &last, until_s)) {
        }
        atomic_fetch_add(&revocations, 1); /* once it is in force */
}

/* Whether tokens of this epoch are invalid. */
static bool is_over(const char *text, int64_t epoch)
{
        uint8_t id[ID_BYTES];
        int64_t last = atomic_load_explicit(&last_until_s, memory_order_acquire);
        if (last == 0) {
                return false;
        }
        int64_t now_s = clock_wall_ms() / 1000;
        if (last < now_s || !uuid_to_bytes(text, id)) {
                return false;
        }
        struct shard *shard = shard_of(hash_of(id));
        pthread_mutex_lock(&shard->mutex);
        const struct entry *e = shard->capacity > 0 ? find_entry(shard, id) : NULL;
        bool over = e != NULL && e->until_s >= now_s && epoch < e->epoch;
        pthread_mutex_unlock(&shard->mutex);
        return over;
}

void token_revoke_session(const char *session, int64_t until_s)
{
        put_entry(session, EVERY_EPOCH, until_s);
}

bool token_session_revoked(const char *session)
{
        return is_over(session, 0);
}

void token_raise_epoch(const char *member, int64_t epoch, int64_t until_s)
{
        put_entry(member, epoch, until_s);
}

bool token_epoch_ended(const char *member, int64_t epoch)
{
        return is_over(member, epoch);
}

uint64_t token_revocations(void)
{
        return atomic_load(&revocations);
}
