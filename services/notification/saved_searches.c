/* Notifies members of new notes that match their saved searches, in portions of the searches that match one note. */
#include "services/notification/notification.h"

#include <stdio.h>
#include "services/notification/notify.h"
#include "services/search/search.rpc.h"

enum { AT_ONCE = 20 };

/* A note notifies a member once, however many of the member's searches match. */
static void add_match(struct arrivals *a, const bus_event *event, const char *user_id)
{
        arrivals_add(a, &(struct arrival){.user_id = user_id,
                                          .type = TYPE_SAVED_SEARCH,
                                          .group_key = arrival_key(a->c->arena, TYPE_SAVED_SEARCH, event->aggregate_id),
                                          .actor_id = event->actor_id,
                                          .note_id = event->aggregate_id,
                                          .root_id = event->aggregate_id,
                                          .at_ms = arrival_time_ms(event)});
}

/* May run again: arrivals_store adds each actor only once. */
static sn_status handle_saved_searches(struct rpc_call *c, struct bus_batch *batch)
{
        const bus_event *event = batch->events[0];
        Search__ListAlertedRequest in = SEARCH__LIST_ALERTED_REQUEST__INIT;
        Search__AlertedList found = SEARCH__ALERTED_LIST__INIT;
        struct arrivals arrivals;

        in.note_id = event->aggregate_id;
        in.after_id = batch->cursor;
        in.limit = AT_ONCE;
        TRY(search_list_alerted(c, &in, &found));
        arrivals_start(&arrivals, c);
        for (size_t i = 0; i < found.n_user_ids; i++) {
                add_match(&arrivals, event, found.user_ids[i]);
        }
        TRY(notify_portion(&arrivals));
        batch->n_done = found.last_id[0] == '\0' ? 1 : 0;
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s", found.last_id);
        return SN_OK;
}

static const char *const types[] = {"search.matched", NULL};

const struct bus_consumer notification_saved_searches = {
    .name = "saved_searches",
    .source = "search",
    .read_outbox = &search_methods[SEARCH_READ_OUTBOX],
    .types = types,
    .handle = handle_saved_searches,
};
