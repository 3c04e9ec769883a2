/* A note appears once on a home timeline, however many members renote it: at the newest renote. */
#ifndef SERVICES_TIMELINE_ONCE_H
#define SERVICES_TIMELINE_ONCE_H

#include "services/page.h"

#define ONCE_FETCHED_MAX 1024

/* What a request for a page knows about the items above it. Initially all zero. */
struct once {
        struct position
            from; /* going down from here: everything above, up to the start of the first page, was read before */
        uint64_t began;
        bool started;
        bool newer; /* going up: everything above was read, or will follow */
        size_t n;   /* may exceed the maximum: the latest are kept */
        uint64_t fetched[ONCE_FETCHED_MAX];
};

/* The page's source has fetched these. */
void once_fetched(struct once *once, const struct page_scan *scan, const struct page_refs *refs);
/* Whether a note appears here, given the ID of the next newer renote of the same note on the timeline ("": none):
 * not if that is further up, or was on an earlier page of the same reading. */
bool once_is_here(const struct once *once, const char *next_renote_id);

#endif
