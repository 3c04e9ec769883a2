/* Sorted notes of a timeline, and the calls to note_service that all timelines share. */
#ifndef SERVICES_TIMELINE_REFS_H
#define SERVICES_TIMELINE_REFS_H

#include "services/page.h"

/* In the order of the scan. */
struct refs {
        size_t n;
        Note__NoteRef **items;
};

/* Both in the order of the scan; removes duplicates; at most scan->limit. */
struct refs refs_merge(struct arena *arena, const struct refs *a, const struct refs *b, const struct page_scan *scan);
/* Notes of some authors that are visible to readers of this audience; fresh: never from memory. */
SN_CHECKED sn_status refs_by_authors(struct rpc_call *c, char **authors, size_t n_authors, Note__Visibility seen_as,
                                     bool fresh, const struct page_scan *scan, Note__NoteRefs *out);
/* For pages: the notes that the actor may see; refs_show_unmuted: without notes by muted members, and renotes of
 * them. */
SN_CHECKED sn_status refs_show(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                               ProtobufCMessage ***items);
SN_CHECKED sn_status refs_show_unmuted(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                                       ProtobufCMessage ***items);

#endif
