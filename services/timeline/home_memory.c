/* Owns the home timelines in this process's memory. Readers need no lock for what they read: a delivery adds its
 * entries behind those that the list had when they got it, or replaces the list by a longer copy. */
#include "services/timeline/home_memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/shared_stamps.h"
#include "cache/table.h"

struct bus_term *home_memory_term;

_Static_assert(sizeof(struct bus_term) == 3 * sizeof(uint64_t), "a term is three counters");

static struct cache_table *table;
static atomic_uint_least64_t begun; /* the term that the table belongs to */

#define SPARE_ENTRIES 32 /* a kilobyte, so that not every delivery copies the list */

struct held {
        struct cache_object object;
        struct home_header header;
        size_t room;
        atomic_size_t n; /* only delivery changes it */
        home_entry entries[];
};

sn_status home_memory_start(size_t max_bytes)
{
        atomic_store(&begun, 0);
        table = cache_table_new("home_timelines", max_bytes, false);
        home_memory_term = (struct bus_term *)shared_stamps_new(3);
        if (home_memory_term != NULL) {
                stamp_deadline_set(&home_memory_term->until, 0);
        }
        return table != NULL && home_memory_term != NULL ? SN_OK : SN_INTERNAL;
}

void home_memory_stop(void)
{
        cache_table_free(table);
        shared_stamps_free((uint64_t *)home_memory_term);
        table = NULL;
        home_memory_term = NULL;
}

/* The number of the term whose deliveries are all in memory; 0: another process may have delivered. */
static uint64_t believed_term(void)
{
        uint64_t number = bus_term_number(home_memory_term);

        return number == atomic_load(&begun) ? number : 0;
}

static void free_held(struct cache_object *object)
{
        free(object);
}

/* With room for more entries, and some to spare. NULL when out of memory. */
static struct held *held_new(const struct home_header *header, const home_entry *entries, size_t n, size_t more)
{
        size_t room = n + more + SPARE_ENTRIES;
        size_t bytes = sizeof(struct held) + room * sizeof(home_entry);
        struct held *held = malloc(bytes);

        if (held == NULL) {
                return NULL;
        }
        held->object = (struct cache_object){.references = 1, .bytes = bytes, .free = free_held};
        held->header = *header;
        held->room = room;
        atomic_init(&held->n, n);
        memcpy(held->entries, entries, n * sizeof(home_entry));
        return held;
}

/* Takes ownership of the reference; NULL stores nothing. */
static void put(const uint8_t key[HOME_ID_BYTES], uint64_t token, struct held *held)
{
        if (held != NULL) {
                cache_table_put(table, key, HOME_ID_BYTES, token, (union cache_value){.object = held});
                cache_unref(held);
        }
}

/* ---- Delivery ---- */

void home_memory_clear(void)
{
        cache_table_clear(table);
}

void home_memory_begin(uint64_t term)
{
        home_memory_clear();
        atomic_store(&begun, term);
}

/* Usually the notes are newer than those in the list. False: they are not, or there is no room. */
static bool extend(struct held *held, TimelineRows__Entry *const *entries, size_t n)
{
        size_t end = atomic_load_explicit(&held->n, memory_order_relaxed);

        if (end + n > held->room || end + n > HOME_CUT_ENTRIES) {
                return false;
        }
        for (size_t i = 0; i < n; i++, end++) {
                home_entry_put(entries[i]->note_id, entries[i]->author_id, held->entries[end]);
                if (end > 0 && memcmp(held->entries[end - 1], held->entries[end], HOME_ID_BYTES) >= 0) {
                        return false;
                }
        }
        atomic_store_explicit(&held->n, end, memory_order_release);
        return true;
}

/* A list that is too long is dropped: its next reader reads it from Redis, and truncates it there. */
static struct held *copy_longer(const struct held *held, TimelineRows__Entry *const *entries, size_t n)
{
        size_t end = atomic_load_explicit(&held->n, memory_order_relaxed);
        struct held *longer = end + n <= HOME_CUT_ENTRIES ? held_new(&held->header, held->entries, end, n) : NULL;

        for (size_t i = 0; longer != NULL && i < n; i++) {
                home_entry entry;

                home_entry_put(entries[i]->note_id, entries[i]->author_id, entry);
                end += home_entry_insert(longer->entries, end, entry);
        }
        if (longer != NULL) {
                atomic_init(&longer->n, end);
        }
        return longer;
}

/* The list is that of the token. */
static void replace(const uint8_t key[HOME_ID_BYTES], uint64_t token, const struct held *held,
                    TimelineRows__Entry *const *entries, size_t n)
{
        union cache_value longer = {.object = copy_longer(held, entries, n)};

        if (longer.object == NULL || !cache_table_replace(table, key, HOME_ID_BYTES, token, longer)) {
                cache_table_drop(table, key, HOME_ID_BYTES);
        }
        cache_unref(longer.object);
}

/* The token always changes: that invalidates readers who have read before this delivery and not stored it yet. */
static void deliver_to(const char *owner, TimelineRows__Entry *const *entries, size_t n)
{
        union cache_value value = {0};
        uint8_t key[HOME_ID_BYTES];
        uint64_t token;

        (void)uuid_to_bytes(owner, key);
        if (!cache_table_get(table, key, sizeof(key), &value, &token)) {
                cache_table_drop(table, key, sizeof(key));
        } else if (extend(value.object, entries, n)) {
                cache_table_extended(table, key, sizeof(key), value.object);
        } else {
                replace(key, token, value.object, entries, n);
        }
        cache_unref(value.object);
}

void home_memory_deliver(TimelineRows__Entry *const *entries, size_t n)
{
        for (size_t i = 0, end = 0; i < n; i = end) {
                while (end < n && strcmp(entries[end]->owner_id, entries[i]->owner_id) == 0) {
                        end++;
                }
                deliver_to(entries[i]->owner_id, entries + i, end - i);
        }
}

/* ---- Readers ---- */

bool home_memory_get(struct rpc_call *c, const char *owner, struct home_list *list)
{
        union cache_value value = {0};
        uint8_t key[HOME_ID_BYTES];
        uint64_t token, term = believed_term();

        if (term == 0 || !uuid_to_bytes(owner, key) || !cache_table_get(table, key, sizeof(key), &value, &token)) {
                return false;
        }
        const struct held *held = value.object;

        arena_defer(c->arena, cache_unref, value.object);
        /* Members who have not read lately get no deliveries. */
        if (held->header.day != (uint32_t)(c->now_ms / 86400000)) {
                return false;
        }
        stamps_before(&home_memory_term->until);
        stamps_add(&home_memory_term->number, term);
        stamps_until((int64_t)(held->header.day + 1) * 86400000);
        *list = (struct home_list){.header = held->header,
                                   .n = atomic_load_explicit(&held->n, memory_order_acquire),
                                   .entries = held->entries};
        return true;
}

uint64_t home_memory_token(const char *owner)
{
        uint8_t key[HOME_ID_BYTES];

        return believed_term() != 0 && uuid_to_bytes(owner, key) ? cache_table_token(table, key, sizeof(key)) : 0;
}

void home_memory_put(const char *owner, uint64_t token, const struct home_list *list)
{
        uint8_t key[HOME_ID_BYTES];

        if (token != 0 && uuid_to_bytes(owner, key)) {
                put(key, token, held_new(&list->header, list->entries, list->n, 0));
        }
}
