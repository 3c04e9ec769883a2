/* Owns merging lists of notes, and requesting them from note_service. */
#include "services/timeline/refs.h"

#include <string.h>

struct refs refs_merge(struct arena *arena, const struct refs *a, const struct refs *b, const struct page_scan *scan)
{
        struct refs out = {.items = ARENA_ARRAY(arena, Note__NoteRef *, scan->limit)};
        size_t i = 0, k = 0;

        while (out.n < scan->limit && (i < a->n || k < b->n)) {
                int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->items[i]->id, b->items[k]->id);

                if (i < a->n && k < b->n && !scan->newer) {
                        order = -order;
                }
                out.items[out.n++] = order <= 0 ? a->items[i] : b->items[k];
                i += order <= 0;
                k += order >= 0;
        }
        return out;
}

sn_status refs_by_authors(struct rpc_call *c, char **authors, size_t n_authors, Note__Visibility seen_as, bool fresh,
                          const struct page_scan *scan, Note__NoteRefs *out)
{
        Note__ListIdsByAuthorsRequest in = NOTE__LIST_IDS_BY_AUTHORS_REQUEST__INIT;

        in.author_ids = authors;
        in.n_author_ids = n_authors;
        in.seen_as = seen_as;
        in.fresh = fresh;
        in.limit = (uint32_t)scan->limit;
        in.except_author_ids = scan->except;
        in.n_except_author_ids = scan->n_except;
        *(scan->newer ? &in.after_id : &in.before_id) = (char *)page_beyond_id(scan);
        return note_list_ids_by_authors(c, &in, out);
}

static sn_status hydrate(struct rpc_call *c, bool hide_muted, char **ids, size_t n, size_t *n_items,
                         ProtobufCMessage ***items)
{
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;
        Note__Notes out = NOTE__NOTES__INIT;

        in.viewer_id = (char *)c->actor;
        in.hide_muted = hide_muted;
        in.ids = ids;
        in.n_ids = n;
        TRY(note_batch_get(c, &in, &out));
        *n_items = out.n_items;
        *items = (ProtobufCMessage **)out.items;
        return SN_OK;
}

sn_status refs_show(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items, ProtobufCMessage ***items)
{
        return hydrate(c, false, ids, n, n_items, items);
}

sn_status refs_show_unmuted(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                            ProtobufCMessage ***items)
{
        return hydrate(c, true, ids, n, n_items, items);
}
