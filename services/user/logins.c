/* Owns the list of one's own log-ins. */
#include "services/user/user.h"

#include <string.h>
#include "base/in_flight.h"
#include "services/page.h"
#include "services/user/store.h"

/* What was fetched last, to be shown as it is. */
struct rows {
        size_t n;
        UserLogins__LogInEntry **items;
};

static sn_status fetch(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        struct rows *rows = context;

        (void)in_flight_settled(c->service, out->settled.id); /* first: what is read afterwards has all of it */
        TRY(DB_READ(c, tx, store_logins(tx, c->actor, scan, &rows->n, &rows->items)));
        out->n = rows->n;
        out->items = ARENA_ARRAY(c->arena, struct page_ref, out->n);
        for (size_t i = 0; i < out->n; i++) {
                memcpy(out->items[i].at.id, rows->items[i]->id, UUID_SIZE);
        }
        return SN_OK;
}

static sn_status show(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                      ProtobufCMessage ***items)
{
        const struct rows *rows = context;

        *items = ARENA_ARRAY(c->arena, ProtobufCMessage *, n);
        for (size_t i = 0; i < rows->n && *n_items < n; i++) {
                if (strcmp(rows->items[i]->id, ids[*n_items]) == 0) {
                        (*items)[(*n_items)++] = &rows->items[i]->base;
                }
        }
        return SN_OK;
}

sn_status user_handle_list_log_ins(struct rpc_call *c, const UserLogins__ListLogInsRequest *in,
                                   UserLogins__LogInList *out)
{
        struct rows rows = {0};
        struct page_source source = {
            .filter = "logins", .newest_first = true, .fetch = fetch, .show = show, .context = &rows};
        struct page page;

        TRY(page_read(c, &source, PAGE_ASKED(in, USER_LOGINS__LIST_LOG_INS_REQUEST), &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}
