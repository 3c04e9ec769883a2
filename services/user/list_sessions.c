/* Owns the list of one's own running sessions. */
#include "services/user/user.h"

#include "services/page.h"
#include "services/user/store.h"

static sn_status read_sessions(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                               ProtobufCMessage ***rows)
{
        return store_sessions(tx, db_call(tx)->actor, scan, n, (void *)rows);
}

sn_status user_handle_list_sessions(struct rpc_call *c, const User__ListSessionsRequest *in, User__SessionList *out)
{
        struct page page;

        TRY(page_read_rows(c, "sessions", read_sessions, NULL, PAGE_ASKED(in, USER__LIST_SESSIONS_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        for (size_t i = 0; i < out->n_items; i++) {
                out->items[i]->current = uuid_equal(out->items[i]->id, c->session);
        }
        return SN_OK;
}
