/* A cached home timeline as it is read: whatever holds it, Redis (home_cache.h) or memory (home_memory.h). */
#ifndef SERVICES_TIMELINE_HOME_LIST_H
#define SERVICES_TIMELINE_HOME_LIST_H

#include "services/timeline/refs.h"

#define HOME_ID_BYTES    16
#define HOME_ENTRY_BYTES (2 * HOME_ID_BYTES) /* note, author */

/* How many entries a cached timeline is built with. It grows to twice as many before a reader cuts it. */
#define HOME_CACHE_ENTRIES 200
#define HOME_CUT_ENTRIES   (2 * HOME_CACHE_ENTRIES)

struct home_header {
        int64_t version; /* of the owner's relations, that it takes into account */
        uint32_t day;    /* since 1970: when the owner was last noted as reading */
        uint8_t
            low_water[HOME_ID_BYTES]; /* the lowest id down to which it has everything; zero: nothing older exists */
};

typedef uint8_t home_entry[HOME_ENTRY_BYTES];

struct home_list {
        struct home_header header;
        size_t n;
        const home_entry *entries; /* ascending, each note once */
};

void home_entry_put(const char *note_id, const char *author_id, home_entry out);
/* Into their order, each note once; how many are left. They come nearly in order: the cost is that of looking. */
size_t home_entries_sort(home_entry *entries, size_t n);
/* What stands beyond the scan's position, as far as the list reaches; *whole: it has all that the scan asks for. */
void home_list_pick(struct rpc_call *c, const struct home_list *list, const struct page_scan *scan, struct refs *out,
                    bool *whole);

#endif
