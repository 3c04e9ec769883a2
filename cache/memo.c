/* The in-memory cache: 16 shards, each a chained hash table with its entries in a list under one mutex. A hit only sets
 * a bit in its entry; the entry that is to go gets a second chance when the bit is set. Objects are freed outside the
 * locks. */
#include "cache/memo.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"

enum { N_SHARDS = 16, FIRST_BUCKETS = 64 };

/* What a lookup reads stands together, at the end. */
struct entry {
        struct entry *older, *newer; /* in the order of eviction */
        size_t bytes;                /* what it counts against the bound */
        struct entry *next;          /* in its bucket; in a list of removed entries */
        uint64_t hash;
        struct memo_object *object; /* NULL: a number */
        uint64_t number;
        uint32_t key_len;
        bool touched; /* read since it was put, or since it was spared last */
        char key[];
};

struct shard {
        pthread_mutex_t lock;
        uint64_t drops; /* the ticket; never 0 */
        struct entry **buckets;
        size_t n_buckets; /* 0 or a power of two */
        size_t n_entries;
        struct entry *oldest, *newest;
        size_t bytes;
} __attribute__((aligned(64))); /* locks of two shards never share a cache line */

struct memo {
        struct shard shards[N_SHARDS];
        size_t max_shard_bytes;
        uint64_t seed; /* names that members choose may be keys: nobody can aim at one bucket */
        struct metric *hits, *misses, *bytes;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
        __uint128_t product = (__uint128_t)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_key(const struct memo *m, const void *key, size_t len)
{
        const char *at = key;
        uint64_t hash = m->seed ^ len;
        for (; len >= 8; at += 8, len -= 8) {
                uint64_t word;
                memcpy(&word, at, 8);
                hash = mix(hash ^ word, 0x9e3779b97f4a7c15u);
        }
        uint64_t rest = 0;
        if (len > 0) {
                memcpy(&rest, at, len);
        }
        return mix(hash ^ rest, 0xd6e8feb86659fd93u ^ m->seed);
}

struct memo *memo_new(const char *name, size_t max_bytes)
{
        struct memo *m = aligned_alloc(_Alignof(struct memo), sizeof(*m));
        if (m == NULL) {
                return NULL;
        }
        memset(m, 0, sizeof(*m));
        m->max_shard_bytes = max_bytes / N_SHARDS;
        random_bytes(&m->seed, sizeof(m->seed));
        const char *labels = metrics_intern("cache=\"%s\"", name);
        m->hits = metric_counter("sonet_cache_hits_total", "Reads answered from memory.", labels);
        m->misses = metric_counter("sonet_cache_misses_total", "Reads that had to ask PostgreSQL.", labels);
        m->bytes = metric_gauge("sonet_cache_bytes", "Memory held by cached rows.", labels);
        for (int i = 0; i < N_SHARDS; i++) {
                pthread_mutex_init(&m->shards[i].lock, NULL);
                m->shards[i].drops = 1;
        }
        return m;
}

static void object_ref(struct memo_object *object)
{
        __atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED);
}

void memo_unref(void *object)
{
        struct memo_object *o = object;
        if (o != NULL && __atomic_sub_fetch(&o->references, 1, __ATOMIC_ACQ_REL) == 0) {
                o->free(o);
        }
}

void memo_keep(struct arena *arena, void *object)
{
        if (object != NULL) {
                arena_defer(arena, memo_unref, object);
        }
}

static struct shard *shard_of(struct memo *m, uint64_t hash)
{
        return &m->shards[hash >> 60];
}

/* Where the pointer to the key's entry is, or would be: never NULL while there are buckets. */
static struct entry **find(const struct shard *s, uint64_t hash, const void *key, size_t key_len)
{
        struct entry **at = &s->buckets[hash & (s->n_buckets - 1)];
        while (*at != NULL &&
               ((*at)->hash != hash || (*at)->key_len != key_len || memcmp((*at)->key, key, key_len) != 0)) {
                at = &(*at)->next;
        }
        return at;
}

static void list_remove(struct shard *s, struct entry *e)
{
        *(e->older != NULL ? &e->older->newer : &s->oldest) = e->newer;
        *(e->newer != NULL ? &e->newer->older : &s->newest) = e->older;
}

static void list_append(struct shard *s, struct entry *e)
{
        e->older = s->newest;
        e->newer = NULL;
        *(s->newest != NULL ? &s->newest->newer : &s->oldest) = e;
        s->newest = e;
}

/* Takes *at out of the shard and puts it in front of *removed. */
static void take_out(struct shard *s, struct entry **at, struct entry **removed)
{
        struct entry *e = *at;
        *at = e->next;
        list_remove(s, e);
        s->n_entries--;
        s->bytes -= e->bytes;
        e->next = *removed;
        *removed = e;
}

static void free_removed(struct memo *m, struct entry *removed)
{
        while (removed != NULL) {
                struct entry *next = removed->next;
                metric_add(m->bytes, -(int64_t)removed->bytes);
                memo_unref(removed->object);
                free(removed);
                removed = next;
        }
}

/* Under the lock. NULL on a miss. */
static const struct entry *look_up(struct shard *s, uint64_t hash, const void *key, size_t key_len)
{
        struct entry *e = s->n_buckets == 0 ? NULL : *find(s, hash, key, key_len);
        if (e != NULL && !e->touched) {
                e->touched = true; /* written once only: other threads read the line */
        }
        return e;
}

void *memo_get(struct memo *m, struct arena *arena, const void *key, size_t key_len, uint64_t *ticket)
{
        uint64_t hash = hash_key(m, key, key_len);
        struct shard *s = shard_of(m, hash);
        struct memo_object *object = NULL;
        pthread_mutex_lock(&s->lock);
        const struct entry *e = look_up(s, hash, key, key_len);
        if (e != NULL) {
                object = e->object;
                object_ref(object);
        }
        *ticket = s->drops;
        pthread_mutex_unlock(&s->lock);
        metric_add(object != NULL ? m->hits : m->misses, 1);
        memo_keep(arena, object);
        return object;
}

bool memo_get_number(struct memo *m, const void *key, size_t key_len, uint64_t *number, uint64_t *ticket)
{
        uint64_t hash = hash_key(m, key, key_len);
        struct shard *s = shard_of(m, hash);
        pthread_mutex_lock(&s->lock);
        const struct entry *e = look_up(s, hash, key, key_len);
        bool found = e != NULL;
        if (found) {
                *number = e->number;
        }
        *ticket = s->drops;
        pthread_mutex_unlock(&s->lock);
        metric_add(found ? m->hits : m->misses, 1);
        return found;
}

/* Twice the buckets when there are as many entries. Without memory it stays as it is: slower, not wrong. */
static bool make_room(struct shard *s)
{
        if (s->n_entries < s->n_buckets) {
                return true;
        }
        size_t n = s->n_buckets == 0 ? FIRST_BUCKETS : s->n_buckets * 2;
        struct entry **buckets = calloc(n, sizeof(struct entry *));
        if (buckets == NULL) {
                return s->n_buckets > 0;
        }
        for (size_t i = 0; i < s->n_buckets; i++) {
                while (s->buckets[i] != NULL) {
                        struct entry *e = s->buckets[i];
                        s->buckets[i] = e->next;
                        e->next = buckets[e->hash & (n - 1)];
                        buckets[e->hash & (n - 1)] = e;
                }
        }
        free(s->buckets);
        s->buckets = buckets;
        s->n_buckets = n;
        return true;
}

/* Evicts from the oldest on until the shard is within its bound; what was read since is spared once. */
static void evict(struct shard *s, size_t max_bytes, struct entry **removed)
{
        while (s->bytes > max_bytes) {
                struct entry *e = s->oldest;
                if (e->touched) {
                        e->touched = false;
                        list_remove(s, e);
                        list_append(s, e);
                } else {
                        take_out(s, find(s, e->hash, e->key, e->key_len), removed);
                }
        }
}

static struct entry *entry_new(uint64_t hash, const void *key, size_t key_len, struct memo_object *object, size_t bytes)
{
        struct entry *e = malloc(sizeof(*e) + key_len);
        if (e == NULL) {
                return NULL;
        }
        *e = (struct entry){.hash = hash, .object = object, .bytes = bytes, .key_len = (uint32_t)key_len};
        memcpy(e->key, key, key_len);
        if (object != NULL) {
                object_ref(object);
        }
        return e;
}

/* Under the lock. False when the ticket is void. */
static bool put_entry(struct memo *m, struct shard *s, struct entry *e, uint64_t ticket, struct entry **removed)
{
        if (ticket != s->drops || !make_room(s)) {
                return false;
        }
        struct entry **at = find(s, e->hash, e->key, e->key_len);
        if (*at != NULL) {
                take_out(s, at, removed); /* another thread missed too; both loaded after the last drop */
        }
        e->next = s->buckets[e->hash & (s->n_buckets - 1)];
        s->buckets[e->hash & (s->n_buckets - 1)] = e;
        list_append(s, e);
        s->n_entries++;
        s->bytes += e->bytes;
        evict(s, m->max_shard_bytes, removed);
        return true;
}

static void put(struct memo *m, const void *key, size_t key_len, uint64_t ticket, struct memo_object *object,
                uint64_t number)
{
        size_t bytes = (object != NULL ? object->bytes : 0) + sizeof(struct entry) + sizeof(struct entry *) + key_len;
        if (bytes > m->max_shard_bytes) {
                return;
        }
        uint64_t hash = hash_key(m, key, key_len);
        struct entry *removed = NULL, *e = entry_new(hash, key, key_len, object, bytes);
        if (e == NULL) {
                return;
        }
        e->number = number;
        struct shard *s = shard_of(m, hash);
        metric_add(m->bytes, (int64_t)bytes);
        pthread_mutex_lock(&s->lock);
        bool stored = put_entry(m, s, e, ticket, &removed);
        pthread_mutex_unlock(&s->lock);
        if (!stored) {
                e->next = NULL;
                removed = e;
        }
        free_removed(m, removed);
}

void memo_put(struct memo *m, const void *key, size_t key_len, uint64_t ticket, void *object)
{
        put(m, key, key_len, ticket, object, 0);
}

void memo_put_number(struct memo *m, const void *key, size_t key_len, uint64_t ticket, uint64_t number)
{
        put(m, key, key_len, ticket, NULL, number);
}

void memo_drop(struct memo *m, const void *key, size_t key_len)
{
        uint64_t hash = hash_key(m, key, key_len);
        struct shard *s = shard_of(m, hash);
        struct entry *removed = NULL;
        pthread_mutex_lock(&s->lock);
        s->drops++;
        if (s->n_buckets > 0) {
                struct entry **at = find(s, hash, key, key_len);
                if (*at != NULL) {
                        take_out(s, at, &removed);
                }
        }
        pthread_mutex_unlock(&s->lock);
        free_removed(m, removed);
}

static void clear_shard(struct memo *m, struct shard *s)
{
        struct entry *removed = NULL;
        pthread_mutex_lock(&s->lock);
        s->drops++;
        for (size_t i = 0; i < s->n_buckets; i++) {
                while (s->buckets[i] != NULL) {
                        take_out(s, &s->buckets[i], &removed);
                }
        }
        pthread_mutex_unlock(&s->lock);
        free_removed(m, removed);
}

void memo_clear(struct memo *m)
{
        for (int i = 0; i < N_SHARDS; i++) {
                clear_shard(m, &m->shards[i]);
        }
}

void memo_free(struct memo *m)
{
        if (m == NULL) {
                return;
        }
        memo_clear(m);
        for (int i = 0; i < N_SHARDS; i++) {
                pthread_mutex_destroy(&m->shards[i].lock);
                free(m->shards[i].buckets);
        }
        free(m);
}
