/* A note stands once on a home timeline, however many pass it on: where the newest of them put it. */
#ifndef SERVICES_TIMELINE_ONCE_H
#define SERVICES_TIMELINE_ONCE_H

#include "services/page.h"

#define ONCE_FETCHED_MAX 1024

/* What one request for a page knows of what stands above its items. All zero at first. */
struct once {
        struct position from; /* down from here: what stands above, up to where the first page began, was read before */
        uint64_t began;
        bool started;
        bool newer; /* up: whatever stands above was read, or is still to come */
        size_t n;   /* also beyond the maximum: the latest are kept */
        uint64_t fetched[ONCE_FETCHED_MAX];
};

/* A page's source fetched these. */
void once_fetched(struct once *once, const struct page_scan *scan, const struct page_refs *refs);
/* For page_source.show, with a struct once as context: the notes that the actor may see and has not muted, without
 * those that stand further up, or on an earlier page of the same reading, under somebody who passed them on later. */
SN_CHECKED sn_status once_show(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                               ProtobufCMessage ***items);

#endif
