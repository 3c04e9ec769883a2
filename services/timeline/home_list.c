/* Owns the order of a cached home timeline, and selecting a page of it. */
#include "services/timeline/home_list.h"

#include <string.h>

void home_entry_put(const char *note_id, const char *author_id, home_entry out)
{
        (void)uuid_to_bytes(note_id, out);
        (void)uuid_to_bytes(author_id, out + HOME_ID_BYTES);
}

static int compare(const uint8_t *a, const uint8_t *b)
{
        return memcmp(a, b, HOME_ID_BYTES);
}

bool home_entry_insert(home_entry *entries, size_t n, const home_entry entry)
{
        size_t at = n;

        while (at > 0 && compare(entries[at - 1], entry) > 0) {
                at--;
        }
        if (at > 0 && compare(entries[at - 1], entry) == 0) {
                return false;
        }
        home_entry copy;

        memcpy(copy, entry, sizeof(copy)); /* it may be in the array that is shifted */
        memmove(entries[at + 1], entries[at], (n - at) * sizeof(home_entry));
        memcpy(entries[at], copy, sizeof(copy));
        return true;
}

size_t home_entries_sort(home_entry *entries, size_t n)
{
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                kept += home_entry_insert(entries, kept, entries[i]);
        }
        return kept;
}

struct home_list home_list_of_refs(struct arena *arena, const struct home_header *header, const struct refs *refs)
{
        home_entry *entries = ARENA_ARRAY(arena, home_entry, refs->n);

        for (size_t i = 0; i < refs->n; i++) {
                home_entry_put(refs->items[i]->id, refs->items[i]->author_id, entries[refs->n - 1 - i]);
        }
        return (struct home_list){.header = *header, .n = refs->n, .entries = entries};
}

/* ---- A page ---- */

static Note__NoteRef *show(struct rpc_call *c, const uint8_t *entry)
{
        Note__NoteRef *ref = ARENA_NEW(c->arena, Note__NoteRef);

        note__note_ref__init(ref);
        ref->id = uuid_from_bytes(entry, arena_alloc(c->arena, UUID_SIZE));
        ref->author_id = uuid_from_bytes(entry + HOME_ID_BYTES, arena_alloc(c->arena, UUID_SIZE));
        return ref;
}

/* How many entries are below an ID, optionally including it. */
static size_t count_below(const struct home_list *list, const uint8_t *id, bool with)
{
        size_t from = 0, to = list->n;

        while (from < to) {
                size_t middle = from + (to - from) / 2;
                int order = compare(list->entries[middle], id);

                if (order < 0 || (with && order == 0)) {
                        from = middle + 1;
                } else {
                        to = middle;
                }
        }
        return from;
}

/* Late entries below the low-water mark are left out, since others that belong before them are not cached either. */
void home_list_pick(struct rpc_call *c, const struct home_list *list, const struct page_scan *scan, struct refs *out,
                    bool *whole)
{
        const uint8_t *low_water = list->header.low_water;
        static const uint8_t zero[HOME_ID_BYTES];
        uint8_t beyond[HOME_ID_BYTES];
        bool from_start = !uuid_to_bytes(scan->beyond.id, beyond);
        size_t lowest = count_below(list, low_water, false), end = list->n;

        *out = (struct refs){.items = ARENA_ARRAY(c->arena, Note__NoteRef *, scan->limit)};
        if (!from_start && scan->newer) {
                size_t above = count_below(list, beyond, true);

                lowest = above > lowest ? above : lowest;
        } else if (!from_start) {
                end = count_below(list, beyond, false);
        }
        for (size_t i = lowest; i < end && out->n < scan->limit; i++) {
                out->items[out->n++] = show(c, list->entries[scan->newer ? i : end - 1 - (i - lowest)]);
        }
        *whole = compare(low_water, zero) == 0 ||
                 (scan->newer ? !from_start && compare(beyond, low_water) >= 0 : out->n == scan->limit);
}
