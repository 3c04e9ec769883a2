/* Owns the loop that fills a page. */
#include "services/timeline/page.h"

#include <string.h>
#include "auth/cursor.h"
#include "services/services.h"

/* A reader whose page is mostly hidden from them gets a short page and a cursor rather than a long wait. */
#define ROUNDS_MAX 5

static sn_status hydrate(struct rpc_call *c, const struct page_source *source, const struct refs *refs, size_t n,
                         Note__Notes *out)
{
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;

        in.viewer_id = (char *)c->actor;
        in.hide_muted = source->hide_muted;
        in.ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                if (refs->admitted == NULL || refs->admitted[i]) {
                        in.ids[in.n_ids++] = refs->items[i]->id;
                }
        }
        return in.n_ids == 0 ? SN_OK : note_batch_get(c, &in, out);
}

/* One fetch: appends what may be shown. One ref more than wanted is asked for, and only tells that there is more. */
static sn_status fill(struct rpc_call *c, const struct page_source *source, struct cursor *position, size_t wanted,
                      Timeline__Page *out, bool *more)
{
        Note__Notes notes = NOTE__NOTES__INIT;
        struct refs refs = {0};
        size_t n = 0;

        TRY(source->fetch(c, source->context, position->id, wanted + 1, &refs));
        *more = refs.n > wanted;
        n = *more ? wanted : refs.n;
        if (n == 0) {
                return SN_OK;
        }
        memcpy(position->id, refs.items[n - 1]->id, UUID_SIZE);
        TRY(hydrate(c, source, &refs, n, &notes));
        for (size_t i = 0; i < notes.n_items; i++) {
                out->items[out->n_items++] = notes.items[i];
        }
        return SN_OK;
}

sn_status page_build(struct rpc_call *c, const char *filter, const char *cursor, uint32_t asked,
                     const struct page_source *source, Timeline__Page *out)
{
        size_t limit = page_limit(asked);
        struct cursor position;
        bool more = true;

        TRY(cursor_decode(c, filter, cursor, &position));
        out->items = ARENA_ARRAY(c->arena, Note__Note *, limit);
        for (int round = 0; round < ROUNDS_MAX && more && out->n_items < limit; round++) {
                TRY(fill(c, source, &position, limit - out->n_items, out, &more));
        }
        if (more) {
                position.sort_key = 0;
                out->next_cursor = cursor_encode(c, filter, &position);
        }
        return SN_OK;
}
