/* Owns where on a home timeline a note appears that several members renoted. note_service returns for each item the
 * next newer renote of the same note on the reader's home timeline; if that was read already, the item is left out.
 *
 * Renotes made since a reading started are above its first page, which the reader has not seen: they hide nothing
 * further down. Nor does a renote that is too new to be delivered. A reader asking for newer items sees every
 * renote, so there a note always gives way to the next one. */
#include "services/timeline/once.h"

#include <string.h>

void once_fetched(struct once *once, const struct page_scan *scan, const struct page_refs *refs)
{
        if (!once->started) {
                once->started = true;
                once->from = scan->beyond;
                once->began = scan->began;
                once->newer = scan->newer;
        }
        for (size_t i = 0; i < refs->n; i++) {
                once->fetched[once->n++ % ONCE_FETCHED_MAX] = uuid_start(refs->items[i].at.id);
        }
}

static bool was_fetched(const struct once *once, uint64_t start)
{
        size_t n = once->n < ONCE_FETCHED_MAX ? once->n : ONCE_FETCHED_MAX;

        for (size_t i = 0; i < n; i++) {
                if (once->fetched[i] == start) {
                        return true;
                }
        }
        return false;
}

static bool is_read(const struct once *once, const char *id)
{
        uint64_t start = uuid_start(id);
        bool above = once->began != 0 && strcmp(id, once->from.id) >= 0;

        return once->newer || (above ? start <= once->began : was_fetched(once, start));
}

sn_status once_show(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items, ProtobufCMessage ***items)
{
        const struct once *once = context;
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;
        Note__Notes out = NOTE__NOTES__INIT;

        in.viewer_id = (char *)c->actor;
        in.hide_muted = in.with_renotes = true;
        in.ids = ids;
        in.n_ids = n;
        TRY(note_batch_get(c, &in, &out));
        if (out.n_next_renote_ids != out.n_items) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the note service answered with the wrong number of renotes");
        }
        *items = (ProtobufCMessage **)out.items;
        *n_items = 0;
        for (size_t i = 0; i < out.n_items; i++) {
                if (out.next_renote_ids[i][0] == '\0' || !is_read(once, out.next_renote_ids[i])) {
                        (*items)[(*n_items)++] = &out.items[i]->base;
                }
        }
        return SN_OK;
}
