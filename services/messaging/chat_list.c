/* Owns listing the actor's chats by newest message. A chat moves to the front when it gets a message; a page shows its
 * position at the time of reading. */
#include "services/messaging/messaging.h"

#include <stdint.h>
#include <string.h>
#include "services/messaging/show_chats.h"
#include "services/messaging/store_chats.h"
#include "services/page.h"

static sn_status fetch_chats(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        const Messaging__ListChatsRequest *in = context;
        int state = in->requests ? MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_REQUEST
                                 : MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN;
        MessagingRows__ChatRef **refs = NULL;

        TRY(DB_READ(c, tx, chat_store_chats_of(tx, c->actor, state, in->archived, scan, &out->n, &refs)));
        out->settled.sort_key = INT64_MAX; /* cursors only lead to older chats */
        out->items = ARENA_ARRAY(c->arena, struct page_ref, out->n);
        for (size_t i = 0; i < out->n; i++) {
                out->items[i].at.sort_key = refs[i]->active_at_ms;
                memcpy(out->items[i].at.id, refs[i]->id, UUID_SIZE);
        }
        return SN_OK;
}

static sn_status show_page(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                           ProtobufCMessage ***items)
{
        char **actors = ARENA_ARRAY(c->arena, char *, n);
        chat_member **members = NULL;

        for (size_t i = 0; i < n; i++) {
                actors[i] = (char *)c->actor;
        }
        TRY(DB_READ(c, tx, chat_store_members(tx, ids, actors, n, n_items, &members)));
        *items = ARENA_ARRAY(c->arena, ProtobufCMessage *, *n_items);
        return show_chats(c, members, *n_items, (Messaging__Chat **)*items);
}

sn_status messaging_handle_list_chats(struct rpc_call *c, const Messaging__ListChatsRequest *in,
                                      Messaging__ChatList *out)
{
        struct page_source source = {
            .filter = arena_printf(c->arena, "chats:%d:%d", in->requests, in->archived),
            .newest_first = true,
            .fetch = fetch_chats,
            .show = show_page,
            .context = (void *)in,
        };
        struct page_asked asked = {.position = in->cursor, .limit = in->limit};
        struct page page;

        TRY(page_read(c, &source, &asked, &page));
        out->n_items = page.n;
        out->items = (Messaging__Chat **)page.items;
        out->next_cursor = page.next_cursor;
        return SN_OK;
}
