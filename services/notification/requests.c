/* Owns requests: notifications held by a filter until their owner accepts or dismisses them. */
#include "services/notification/notification.h"

#include "services/notification/list.h"
#include "services/notification/store.h"
#include "services/notification/unread.h"

enum { ROWS_AT_ONCE = 10000 };

sn_status notification_handle_list_requests(struct rpc_call *c, const Notification__ListRequestsRequest *in,
                                            Notification__NotificationList *out)
{
        struct list_filter filter = {.user_id = c->actor, .requests = true};

        return list_read(c, &filter, "requests", in->cursor, in->limit, out);
}

typedef sn_status answer_some(struct db_tx *tx, const char *user_id, char **ids, size_t n, int64_t limit,
                              int64_t *changed);

static sn_status answer_all(struct rpc_call *c, answer_some *answer, const Notification__AnswerRequestsRequest *in)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        int64_t changed = 0;

        if (in->all == (in->n_ids > 0)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "ids", "give either ids or all");
        }
        TRY(db_begin(c, &tx));
        TRY(answer(tx, c->actor, in->ids, in->n_ids, ROWS_AT_ONCE, &changed));
        if (changed > 0) {
                TRY(outbox_put(tx, &(struct outbox_event){.type = EVENT_NOTIFICATION_COUNTED,
                                                          .aggregate_id = c->actor,
                                                          .object_id = c->actor}));
        }
        return db_commit(c, NULL, &tx);
}

sn_status notification_handle_accept_requests(struct rpc_call *c, const Notification__AnswerRequestsRequest *in,
                                              Notification__UnreadCount *out)
{
        TRY(answer_all(c, store_accept_requests, in));
        return unread_count_committed(c, c->actor, out);
}

sn_status notification_handle_dismiss_requests(struct rpc_call *c, const Notification__AnswerRequestsRequest *in,
                                               Google__Protobuf__Empty *out)
{
        return answer_all(c, store_dismiss_requests, in);
}
