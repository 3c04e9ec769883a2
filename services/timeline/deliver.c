/* Owns delivery: new notes to their authors' followers, deleted ones away; many notes at once. PostgreSQL first, then
 * Redis; the runner stores the position last, so both halves may run again, and change nothing then. */
#include "services/timeline/timeline.h"

#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/timeline/home_cache.h"
#include "services/timeline/store.h"

#define FOLLOWERS_AT_ONCE 20000
#define FOLLOWERS_OF_ONE  5000

/* What is done with notes and followers of their authors. */
typedef sn_status delivery_effect(struct rpc_call *c, const struct delivery *d);

static sn_status store(struct rpc_call *c, const struct delivery *d, size_t *n, TimelineRows__Entry ***entries)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_deliver(tx, d, n, entries));
        return db_commit(c, NULL, &tx);
}

static sn_status deliver(struct rpc_call *c, const struct delivery *d)
{
        TimelineRows__Entry **entries = NULL;
        size_t n = 0;

        TRY(store(c, d, &n, &entries));
        return home_cache_deliver(c, entries, n);
}

/* Readers do not see it anyway; this gives the room back. Sets in Redis lose it when they are cut. */
static sn_status take_back(struct rpc_call *c, const struct delivery *d)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_take_back(tx, d));
        return db_commit(c, NULL, &tx);
}

static sn_status reach(struct rpc_call *c, struct delivery *d, const Follow__FollowerIds *followers,
                       delivery_effect *effect)
{
        size_t n = 0;

        for (size_t i = 0; i < followers->n_items; i++) {
                n += followers->items[i]->n_ids;
        }
        d->follower_ids = ARENA_ARRAY(c->arena, char *, n);
        d->followed_ids = ARENA_ARRAY(c->arena, char *, n);
        d->n_follows = 0;
        for (size_t i = 0; i < followers->n_items; i++) {
                for (size_t k = 0; k < followers->items[i]->n_ids; k++) {
                        d->follower_ids[d->n_follows] = followers->items[i]->ids[k];
                        d->followed_ids[d->n_follows++] = followers->items[i]->user_id;
                }
        }
        return n == 0 ? SN_OK : effect(c, d);
}

/* Memory stays flat, whatever the number of followers. */
static sn_status reach_rest(struct rpc_call *c, struct delivery *d, const Follow__MemberFollowerIds *first,
                            delivery_effect *effect)
{
        Follow__ListFollowerIdsRequest in = FOLLOW__LIST_FOLLOWER_IDS_REQUEST__INIT;
        char *author = first->user_id, after[UUID_SIZE];
        bool more = true;

        memcpy(after, first->ids[first->n_ids - 1], UUID_SIZE);
        in.user_ids = &author;
        in.n_user_ids = 1;
        in.after_id = after;
        in.limit = FOLLOWERS_OF_ONE;
        while (more) {
                struct arena_mark mark = arena_mark(c->arena);
                Follow__FollowerIds page = FOLLOW__FOLLOWER_IDS__INIT;

                TRY(follow_list_follower_ids(c, &in, &page));
                TRY(reach(c, d, &page, effect));
                more = page.n_items > 0 && page.items[0]->n_ids == FOLLOWERS_OF_ONE;
                if (more) {
                        memcpy(after, page.items[0]->ids[FOLLOWERS_OF_ONE - 1], UUID_SIZE);
                }
                arena_reset(c->arena, mark);
        }
        return SN_OK;
}

static size_t authors_of(struct rpc_call *c, const struct delivery *d, char ***authors)
{
        size_t n = 0;

        *authors = ARENA_ARRAY(c->arena, char *, d->n_notes);
        for (size_t i = 0; i < d->n_notes; i++) {
                size_t k = 0;

                while (k < n && strcmp((*authors)[k], d->author_ids[i]) != 0) {
                        k++;
                }
                (*authors)[k] = d->author_ids[i];
                n += k == n;
        }
        return n;
}

/* All authors' first followers together, then, one by one, the rest of those who have many. */
static sn_status reach_all(struct rpc_call *c, struct delivery *d, delivery_effect *effect)
{
        Follow__ListFollowerIdsRequest in = FOLLOW__LIST_FOLLOWER_IDS_REQUEST__INIT;
        Follow__FollowerIds first = FOLLOW__FOLLOWER_IDS__INIT;

        if (d->n_notes == 0) {
                return SN_OK;
        }
        in.n_user_ids = authors_of(c, d, &in.user_ids);
        in.limit = (uint32_t)(FOLLOWERS_AT_ONCE / in.n_user_ids);
        in.limit = in.limit < FOLLOWERS_OF_ONE ? in.limit : FOLLOWERS_OF_ONE;
        TRY(follow_list_follower_ids(c, &in, &first));
        TRY(reach(c, d, &first, effect));
        for (size_t i = 0; i < first.n_items; i++) {
                if (first.items[i]->n_ids == in.limit) {
                        TRY(reach_rest(c, d, first.items[i], effect));
                }
        }
        return SN_OK;
}

static void add_note(struct delivery *d, const bus_event *event)
{
        d->note_ids[d->n_notes] = event->aggregate_id;
        d->author_ids[d->n_notes++] = event->actor_id;
}

/* All new ones before all deleted ones: nothing is created again after it was deleted. */
static sn_status handle(struct rpc_call *c, struct bus_batch *batch)
{
        char **ids = ARENA_ARRAY(c->arena, char *, 4 * batch->n);
        struct delivery created = {.note_ids = ids, .author_ids = ids + batch->n};
        struct delivery deleted = {.note_ids = ids + 2 * batch->n, .author_ids = ids + 3 * batch->n};

        for (size_t i = 0; i < batch->n; i++) {
                bool is_new = strstr(batch->events[i]->type, ".created") != NULL;

                add_note(is_new ? &created : &deleted, batch->events[i]);
        }
        TRY(reach_all(c, &created, deliver));
        return reach_all(c, &deleted, take_back);
}

static const char *const types[] = {"note.created", "renote.created", "note.deleted", "renote.deleted", NULL};

const struct bus_consumer timeline_deliver = {
    .name = "deliver",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = handle,
};
