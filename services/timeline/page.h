/* Pages: ids from a source, hydrated by note_service, until the page is full. */
#ifndef SERVICES_TIMELINE_PAGE_H
#define SERVICES_TIMELINE_PAGE_H

#include "services/note/note.rpc.h"
#include "services/timeline/timeline.rpc.h"

/* Newest first. admitted[i] false: passed over. */
struct refs {
        size_t n;
        Note__NoteRef **items;
        bool *admitted; /* NULL: all */
};

struct page_source {
        /* At most limit refs older than before_id ("": from the newest). Fewer: there are no more. */
        sn_status (*fetch)(struct rpc_call *c, void *context, const char *before_id, size_t limit, struct refs *out);
        void *context;
        bool hide_muted; /* what muted members wrote, and others' renotes of it */
};

/* filter names the list for its cursors. */
SN_CHECKED sn_status page_build(struct rpc_call *c, const char *filter, const char *cursor, uint32_t limit,
                                const struct page_source *source, Timeline__Page *out);

#endif
