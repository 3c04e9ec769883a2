/* Owns the list of the caller's active sessions. */
#include "services/user/user.h"

#include "base/service.h"
#include "rpc/session_uses.h"
#include "services/page.h"
#include "services/user/store.h"

static sn_status read_sessions(struct db_tx *tx, const void *context, const struct page_scan *scan, size_t *n,
                               ProtobufCMessage ***rows)
{
        return store_sessions(tx, db_call(tx)->actor, scan, n, (void *)rows);
}

/* The row has when the session was last refreshed. */
static void show_use(User__Session *session, const struct session_use *use)
{
        Google__Protobuf__Timestamp *at = session->last_used_at;

        if (use->at_ms <= at->seconds * 1000 + at->nanos / 1000000) {
                return;
        }
        at->seconds = use->at_ms / 1000;
        at->nanos = (int32_t)(use->at_ms % 1000) * 1000000;
        session->address = (char *)use->address;
        if (use->user_agent[0] != '\0') { /* absent for streams */
                session->user_agent = (char *)use->user_agent;
        }
}

static void show_uses(struct rpc_call *c, User__SessionList *out)
{
        const struct session_use now = {c->now_ms, c->client_address, c->user_agent};
        char **ids = ARENA_ARRAY(c->arena, char *, out->n_items);

        for (size_t i = 0; i < out->n_items; i++) {
                ids[i] = out->items[i]->id;
        }
        const struct session_use *uses = session_uses_read(c, c->service->redis, ids, out->n_items);

        for (size_t i = 0; i < out->n_items; i++) {
                out->items[i]->current = uuid_equal(ids[i], c->session);
                show_use(out->items[i], out->items[i]->current ? &now : &uses[i]);
        }
}

sn_status user_handle_list_sessions(struct rpc_call *c, const User__ListSessionsRequest *in, User__SessionList *out)
{
        struct page page;

        TRY(page_read_rows(c, "sessions", read_sessions, NULL, PAGE_ASKED(in, USER__LIST_SESSIONS_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        show_uses(c, out);
        return SN_OK;
}
