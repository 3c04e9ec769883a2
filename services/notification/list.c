/* Owns listing a member's notifications. */
#include "services/notification/notification.h"

#include <string.h>
#include "services/notification/list.h"
#include "services/notification/show.h"

/* State of one list request: fetched rows are shown without reading them again. */
struct listing {
        const struct list_filter *filter;
        NotificationRows__Stored **rows;
        size_t n;
};

static sn_status fetch_rows(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        struct listing *l = context;

        TRY(DB_READ(c, tx, store_listed(tx, l->filter, scan, SHOW_ACTORS_MAX, &l->n, &l->rows)));
        out->n = l->n;
        out->settled.sort_key = INT64_MAX; /* cursors only lead to older ones; newer ones come by live stream */
        out->items = ARENA_ARRAY(c->arena, struct page_ref, out->n);
        for (size_t i = 0; i < out->n; i++) {
                out->items[i].at.sort_key = l->rows[i]->at_ms;
                memcpy(out->items[i].at.id, l->rows[i]->notification->id, UUID_SIZE);
        }
        return SN_OK;
}

/* Shows all fetched rows. */
static sn_status show_fetched(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                              ProtobufCMessage ***items)
{
        struct listing *l = context;

        (void)ids;
        (void)n;
        TRY(show_held(c, l->rows, l->n));
        return show_notification_rows(c, c->actor, l->rows, l->n, n_items,
                                      (Notification__Notification ***)(void *)items);
}

sn_status list_read(struct rpc_call *c, struct list_filter *filter, const char *name, const char *cursor,
                    uint32_t limit, Notification__NotificationList *out)
{
        struct listing listing = {.filter = filter};
        struct page_source source = {
            .filter = name, .newest_first = true, .fetch = fetch_rows, .show = show_fetched, .context = &listing};
        struct page_asked asked = {.position = cursor, .limit = limit};
        struct page page;

        TRY(page_read(c, &source, &asked, &page));
        out->n_items = page.n;
        out->items = (void *)page.items;
        out->next_cursor = page.next_cursor;
        return SN_OK;
}

/* The name of a list with its filters: a cursor is valid only for the list that issued it. */
static const char *name_list(struct rpc_call *c, const Notification__ListNotificationsRequest *in)
{
        const char *name = in->archived ? "archived" : in->snoozed ? "snoozed" : in->unread ? "unread" : "all";

        for (size_t i = 0; i < in->n_types; i++) {
                name = arena_printf(c->arena, "%s,%s", name, in->types[i]);
        }
        return name;
}

static sn_status check_filter(struct rpc_call *c, const Notification__ListNotificationsRequest *in)
{
        enum notification_type type;

        if (in->unread && in->archived) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "archived", "cannot be combined with unread");
        }
        if (in->snoozed && (in->unread || in->archived)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "snoozed", "cannot be combined with unread or archived");
        }
        for (size_t i = 0; i < in->n_types; i++) {
                if (!type_find(in->types[i], &type)) {
                        return rpc_fail(c, SN_INVALID_ARGUMENT, "types", "has an unknown type %s; types are %s",
                                        in->types[i], type_names());
                }
        }
        return SN_OK;
}

sn_status notification_handle_list_notifications(struct rpc_call *c, const Notification__ListNotificationsRequest *in,
                                                 Notification__NotificationList *out)
{
        struct list_filter filter = {.user_id = c->actor,
                                     .types = in->types,
                                     .n_types = in->n_types,
                                     .unread = in->unread,
                                     .archived = in->archived,
                                     .snoozed = in->snoozed};

        TRY(check_filter(c, in));
        return list_read(c, &filter, name_list(c, in), in->cursor, in->limit, out);
}
