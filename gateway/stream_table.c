/* Owns the hub's hash tables: subscriptions by topic, and counts by address or member. */
#include <stdlib.h>
#include <string.h>
#include "gateway/stream.h"

enum { FIRST_BUCKETS = 64 };

struct stream_entry {
        struct stream_entry *next;
        uint64_t hash;
        struct stream_sub *subs;
        unsigned n;
        char key[];
};

struct stream_table {
        struct stream_entry **buckets;
        size_t n_buckets, n_entries;
};

static void *allocate(size_t bytes)
{
        void *memory = calloc(1, bytes);

        if (memory == NULL) {
                abort(); /* like arenas */
        }
        return memory;
}

struct stream_table *stream_table_new(void)
{
        struct stream_table *table = allocate(sizeof(*table));

        table->n_buckets = FIRST_BUCKETS;
        table->buckets = allocate(FIRST_BUCKETS * sizeof(struct stream_entry *));
        return table;
}

void stream_table_free(struct stream_table *table)
{
        for (size_t i = 0; i < table->n_buckets; i++) {
                for (struct stream_entry *e = table->buckets[i], *next; e != NULL; e = next) {
                        next = e->next;
                        free(e);
                }
        }
        free(table->buckets);
        free(table);
}

static uint64_t hash_of(const char *key)
{
        uint64_t hash =
            14695981039346656037U; /* FNV-1a: clients choose no keys, only parts of keys that services build */

        for (; *key != '\0'; key++) {
                hash = (hash ^ (uint8_t)*key) * 1099511628211U;
        }
        return hash;
}

static struct stream_entry **place_of(const struct stream_table *table, uint64_t hash, const char *key)
{
        struct stream_entry **at = &table->buckets[hash & (table->n_buckets - 1)];

        while (*at != NULL && ((*at)->hash != hash || strcmp((*at)->key, key) != 0)) {
                at = &(*at)->next;
        }
        return at;
}

static void grow_table(struct stream_table *table)
{
        struct stream_table larger = {.n_buckets = table->n_buckets * 2, .n_entries = table->n_entries};

        larger.buckets = allocate(larger.n_buckets * sizeof(struct stream_entry *));
        for (size_t i = 0; i < table->n_buckets; i++) {
                for (struct stream_entry *e = table->buckets[i], *next; e != NULL; e = next) {
                        struct stream_entry **at = &larger.buckets[e->hash & (larger.n_buckets - 1)];

                        next = e->next;
                        e->next = *at;
                        *at = e;
                }
        }
        free(table->buckets);
        *table = larger;
}

static struct stream_entry *entry_of(struct stream_table *table, const char *key)
{
        uint64_t hash = hash_of(key);
        struct stream_entry **at = place_of(table, hash, key);

        if (*at == NULL) {
                if (table->n_entries == table->n_buckets) {
                        grow_table(table);
                        at = place_of(table, hash, key);
                }
                size_t len = strlen(key) + 1;
                *at = allocate(sizeof(**at) + len);
                (*at)->hash = hash;
                memcpy((*at)->key, key, len);
                table->n_entries++;
        }
        return *at;
}

static void remove_when_empty(struct stream_table *table, struct stream_entry *entry)
{
        if (entry->n == 0 && entry->subs == NULL) {
                *place_of(table, entry->hash, entry->key) = entry->next;
                table->n_entries--;
                free(entry);
        }
}

/* ---- Topics ---- */

void stream_table_add(struct stream_table *topics, const char *key, struct stream_sub *sub)
{
        struct stream_entry *entry = entry_of(topics, key);

        sub->topic = entry;
        sub->topic_next = entry->subs;
        sub->topic_at = &entry->subs;
        if (entry->subs != NULL) {
                entry->subs->topic_at = &sub->topic_next;
        }
        entry->subs = sub;
}

void stream_table_remove(struct stream_table *topics, struct stream_sub *sub)
{
        struct stream_entry *entry = sub->topic;

        if (entry == NULL) {
                return;
        }
        *sub->topic_at = sub->topic_next;
        if (sub->topic_next != NULL) {
                sub->topic_next->topic_at = sub->topic_at;
        }
        sub->topic = NULL;
        remove_when_empty(topics, entry);
}

struct stream_sub *stream_table_find(const struct stream_table *topics, const char *key)
{
        const struct stream_entry *entry = *place_of(topics, hash_of(key), key);

        return entry != NULL ? entry->subs : NULL;
}

/* ---- Counts ---- */

bool stream_table_count(struct stream_table *counts, const char *key, unsigned most)
{
        struct stream_entry *entry = entry_of(counts, key);
        bool fits = entry->n < most;

        entry->n += fits;
        remove_when_empty(counts, entry);
        return fits;
}

void stream_table_discount(struct stream_table *counts, const char *key)
{
        struct stream_entry *entry = entry_of(counts, key);

        entry->n -= entry->n > 0;
        remove_when_empty(counts, entry);
}
