/* Owns counting unread notifications. Counts depend on what the reader may see now, so they are computed and not
 * stored. */
#include "services/notification/unread.h"

#include <string.h>
#include "services/notification/notification.h"
#include "services/notification/show.h"
#include "services/notification/store.h"

enum {
        COUNTED_MAX = 100,
        ROWS_AT_ONCE = COUNTED_MAX + 1,
        ROWS_MAX = 10 * ROWS_AT_ONCE, /* bounds the work for members with many hidden notifications */
};

static void add_counts(Notification__UnreadCount *out, Notification__Notification *const *shown, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (out->unread == COUNTED_MAX) {
                        out->more = true;
                        return;
                }
                out->unread++;
                out->unseen += shown[i]->seen_at == NULL;
        }
}

static sn_status count_some(struct rpc_call *c, const char *reader, struct page_scan *scan,
                            Notification__UnreadCount *out, bool *end)
{
        struct list_filter filter = {.user_id = reader, .unread = true};
        NotificationRows__Stored **rows = NULL;
        Notification__Notification **shown = NULL;
        size_t n = 0, n_shown = 0;

        TRY(DB_READ(c, tx, store_listed(tx, &filter, scan, SHOW_ACTORS_FEW, &n, &rows)));
        *end = n < scan->limit;
        if (n == 0) {
                return SN_OK;
        }
        scan->beyond.sort_key = rows[n - 1]->at_ms;
        memcpy(scan->beyond.id, rows[n - 1]->notification->id, UUID_SIZE);
        TRY(show_for_count(c, reader, rows, n, &n_shown, &shown));
        add_counts(out, shown, n_shown);
        return SN_OK;
}

sn_status unread_count(struct rpc_call *c, const char *reader, Notification__UnreadCount *out)
{
        struct page_scan scan = {.limit = ROWS_AT_ONCE};
        bool end = false;

        for (size_t seen = 0; !end && !out->more; seen += ROWS_AT_ONCE) {
                if (seen == ROWS_MAX) {
                        out->more = true;
                        return SN_OK;
                }
                if (rpc_call_expired(c)) {
                        return rpc_fail(c, SN_DEADLINE_EXCEEDED, NULL, "counting took too long; try again");
                }
                TRY(count_some(c, reader, &scan, out, &end));
        }
        return SN_OK;
}

sn_status unread_count_committed(struct rpc_call *c, const char *reader, Notification__UnreadCount *out)
{
        if (unread_count(c, reader, out) != SN_OK) {
                out->more = true;
                c->problem = (struct rpc_problem){0};
        }
        return SN_OK;
}

sn_status notification_handle_get_unread_count(struct rpc_call *c, const Notification__GetUnreadCountRequest *in,
                                               Notification__UnreadCount *out)
{
        return unread_count(c, c->actor, out);
}
