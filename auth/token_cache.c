/* A table of sets of four entries, chosen by hash. Static, and its pages are untouched until used, so that a small
 * network uses little memory. Locks cover groups of sets, so that threads rarely contend. */
#include "auth/token_cache.h"

#include <pthread.h>
#include <string.h>

enum {
        WAYS = 4,
        SETS = 4096, /* 16,384 tokens */
        LOCKS = 64,
};

struct entry {
        uint8_t hash[TOKEN_HASH_BYTES];
        struct token_claims claims; /* expires_s 0: free */
        uint32_t used;
};

struct set {
        struct entry ways[WAYS];
        uint32_t now; /* counts uses of the set */
};

static struct set sets[SETS];

static struct {
        _Alignas(64) pthread_mutex_t mutex;
} locks[LOCKS] = {[0 ... LOCKS - 1] = {PTHREAD_MUTEX_INITIALIZER}};

static uint32_t set_of(const uint8_t hash[TOKEN_HASH_BYTES])
{
        return ((uint32_t)hash[0] << 8 | hash[1]) % SETS;
}

static struct entry *find_entry(struct set *set, const uint8_t hash[TOKEN_HASH_BYTES])
{
        for (int i = 0; i < WAYS; i++) {
                struct entry *e = &set->ways[i];
                if (e->claims.expires_s != 0 && memcmp(e->hash, hash, TOKEN_HASH_BYTES) == 0) {
                        return e;
                }
        }
        return NULL;
}

bool token_cache_get(const uint8_t hash[TOKEN_HASH_BYTES], struct token_claims *claims)
{
        uint32_t index = set_of(hash);
        struct set *set = &sets[index];
        pthread_mutex_lock(&locks[index % LOCKS].mutex);
        struct entry *e = find_entry(set, hash);
        if (e != NULL) {
                *claims = e->claims;
                e->used = ++set->now;
        }
        pthread_mutex_unlock(&locks[index % LOCKS].mutex);
        return e != NULL;
}

static struct entry *choose_victim(struct set *set, int64_t now_s)
{
        struct entry *oldest = &set->ways[0];
        for (int i = 0; i < WAYS; i++) {
                struct entry *e = &set->ways[i];
                if (e->claims.expires_s <= now_s) {
                        return e;
                }
                if (set->now - e->used > set->now - oldest->used) { /* right when the counter has wrapped, too */
                        oldest = e;
                }
        }
        return oldest;
}

void token_cache_put(const uint8_t hash[TOKEN_HASH_BYTES], const struct token_claims *claims, int64_t now_s)
{
        uint32_t index = set_of(hash);
        struct set *set = &sets[index];
        pthread_mutex_lock(&locks[index % LOCKS].mutex);
        struct entry *e = find_entry(set, hash); /* another thread may have verified the same token */
        e = e != NULL ? e : choose_victim(set, now_s);
        memcpy(e->hash, hash, TOKEN_HASH_BYTES);
        e->claims = *claims;
        e->used = ++set->now;
        pthread_mutex_unlock(&locks[index % LOCKS].mutex);
}
