/* Owns delivery: a new note to its author's followers, a deleted one away. PostgreSQL first, then Redis; the runner
 * stores the position last, so both halves may run again, and change nothing then. */
#include "services/timeline/handlers.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/timeline/home_cache.h"
#include "services/timeline/store.h"

#define FOLLOWERS_PAGE 5000

static sn_status store_page(struct rpc_call *c, const bus_event *event, char **members, size_t n, size_t *n_owners,
                            TimelineRows__Owner ***owners)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_deliver(tx, members, n, event->aggregate_id, event->actor_id, n_owners, owners));
        return db_commit(c, NULL, &tx);
}

static sn_status deliver_page(struct rpc_call *c, const bus_event *event, char **members, size_t n)
{
        TimelineRows__Owner **owners = NULL;
        size_t n_owners = 0;

        TRY(store_page(c, event, members, n, &n_owners, &owners));
        if (home_cache_deliver(c, owners, n_owners, event->aggregate_id, event->actor_id) != SN_OK) {
                c->problem = (struct rpc_problem){0}; /* slower for a moment: home_cache.c knows of it */
        }
        return SN_OK;
}

static sn_status deliver(struct rpc_call *c, const bus_event *event)
{
        Follow__ListFollowerIdsRequest in = FOLLOW__LIST_FOLLOWER_IDS_REQUEST__INIT;
        Follow__MemberIds page = FOLLOW__MEMBER_IDS__INIT;

        in.user_id = event->actor_id;
        in.limit = FOLLOWERS_PAGE;
        do {
                struct arena_mark mark;

                follow__member_ids__init(&page);
                mark = arena_mark(c->arena);
                TRY(follow_list_follower_ids(c, &in, &page));
                if (page.n_ids > 0) {
                        char last[UUID_SIZE];

                        memcpy(last, page.ids[page.n_ids - 1], UUID_SIZE);
                        TRY(deliver_page(c, event, page.ids, page.n_ids));
                        arena_reset(c->arena, mark); /* memory stays flat, whatever the number of followers */
                        in.after_id = arena_strdup(c->arena, last);
                }
        } while (page.n_ids == FOLLOWERS_PAGE);
        return SN_OK;
}

/* Readers do not see it anyway; this gives the room back. Sets in Redis lose it when they are cut. */
static sn_status forget(struct rpc_call *c, const bus_event *event)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_delete_note_entries(tx, event->aggregate_id));
        return db_commit(c, NULL, &tx);
}

static sn_status handle(struct rpc_call *c, const bus_event *event)
{
        return strstr(event->type, ".created") != NULL ? deliver(c, event) : forget(c, event);
}

static const char *const types[] = {"note.created", "renote.created", "note.deleted", "renote.deleted", NULL};

const struct bus_consumer timeline_deliver = {
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = handle,
};
