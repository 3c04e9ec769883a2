/* Owns listing the actors of a notification. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/notification/show.h"
#include "services/notification/store.h"
#include "services/user/user.rpc.h"

static sn_status fetch_members(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        NotificationRows__Place **rows = NULL;

        TRY(DB_READ(c, tx, store_actors(tx, context, scan, &out->n, &rows)));
        out->settled.sort_key = INT64_MAX; /* cursors only lead to older ones; newer ones come by live stream */
        out->items = ARENA_ARRAY(c->arena, struct page_ref, out->n);
        for (size_t i = 0; i < out->n; i++) {
                out->items[i] = (struct page_ref){.author_id = rows[i]->id, .at.sort_key = rows[i]->at_ms};
                memcpy(out->items[i].at.id, rows[i]->id, UUID_SIZE);
        }
        return SN_OK;
}

static bool admits(const void *context, const Follow__Relationship *member)
{
        return page_admits_unblocked(context, member) && !member->muting;
}

static sn_status show_members(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                              ProtobufCMessage ***items)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors found = USER__AUTHORS__INIT;

        in.ids = ids;
        in.n_ids = n;
        TRY(user_batch_get_authors(c, &in, &found));
        *items = ARENA_ARRAY(c->arena, ProtobufCMessage *, found.n_items);
        for (size_t i = 0; i < found.n_items; i++) {
                if (found.items[i]->id[0] != '\0') {
                        (*items)[(*n_items)++] = &found.items[i]->base;
                }
        }
        return SN_OK;
}

/* A hidden notification has no members. */
sn_status notification_handle_list_members(struct rpc_call *c, const Notification__ListMembersRequest *in,
                                           Notification__MemberList *out)
{
        struct page_source source = {.filter = in->id,
                                     .newest_first = true,
                                     .fetch = fetch_members,
                                     .admits = admits,
                                     .show = show_members,
                                     .context = in->id};
        struct page_asked asked = {.position = in->cursor, .limit = in->limit};
        Notification__Notification **shown = NULL;
        struct page page;
        size_t n = 0;

        TRY(show_notifications(c, c->actor, (char *[]){in->id}, 1, &n, &shown));
        if (n == 0) {
                return rpc_fail(c, SN_NOT_FOUND, "id", "there is no such notification");
        }
        TRY(page_read(c, &source, &asked, &page));
        out->n_items = page.n;
        out->items = (void *)page.items;
        out->next_cursor = page.next_cursor;
        return SN_OK;
}
