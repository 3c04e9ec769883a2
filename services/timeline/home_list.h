/* A cached home timeline as it is read, whether from Redis (home_cache.h) or from memory (home_memory.h). */
#ifndef SERVICES_TIMELINE_HOME_LIST_H
#define SERVICES_TIMELINE_HOME_LIST_H

#include "services/timeline/refs.h"

#define HOME_ID_BYTES    16
#define HOME_ENTRY_BYTES (2 * HOME_ID_BYTES) /* note, author */

/* How many entries a cached timeline is built with. It grows to twice as many before a reader truncates it. */
#define HOME_CACHE_ENTRIES 200
#define HOME_CUT_ENTRIES   (2 * HOME_CACHE_ENTRIES)

struct home_header {
        int64_t version; /* of the owner's relationships that it reflects */
        uint32_t day; /* since 1970: when the owner was last recorded as reading; renewed by the first read of a day */
        uint8_t low_water[HOME_ID_BYTES]; /* it is complete down to this ID; zero: there is nothing older */
};

typedef uint8_t home_entry[HOME_ENTRY_BYTES];

struct home_list {
        struct home_header header;
        size_t n;
        const home_entry *entries; /* ascending, each note once */
};

void home_entry_put(const char *note_id, const char *author_id, home_entry out);
/* Inserts an entry among n sorted ones. False: the note is already there. */
bool home_entry_insert(home_entry *entries, size_t n, const home_entry entry);
/* Sorts them and removes duplicates; returns how many are left. They are almost sorted, which makes it cheap. */
size_t home_entries_sort(home_entry *entries, size_t n);
/* A list of what was pulled, newest first. */
struct home_list home_list_of_refs(struct arena *arena, const struct home_header *header, const struct refs *refs);
/* Entries beyond the scan's position, as far as the list goes; *whole: everything that the scan asks for. */
void home_list_pick(struct rpc_call *c, const struct home_list *list, const struct page_scan *scan, struct refs *out,
                    bool *whole);

#endif
