/* Owns delivery: adds new notes to the cached home timelines of their authors' followers, a portion at a time. The
 * progress is stored afterwards; delivering again changes nothing.
 *
 * A portion is as many of the next events as have few rows together, a row per note and follower. A single one never
 * has many: notes of members with more than FANOUT_MAX followers are not delivered (famous.h). */
#include "services/timeline/timeline.h"

#include <stdlib.h>
#include <string.h>
#include "services/follow/follow.rpc.h"
#include "services/timeline/famous.h"
#include "services/timeline/home_memory.h"
#include "services/timeline/home_sync.h"

#define ROWS_AT_ONCE 10001 /* at most FANOUT_MAX, and one too many */
#define FEW          1000  /* followers: in a portion, notes to as many are delivered before those to more */

/* The followers of a batch's authors, as far as they were listed. */
struct audience {
        char **author_ids; /* unique, in the order of their first events */
        size_t n_authors;
        Follow__FollowerIds list;
        bool cut; /* the last author in the list may have more, and later ones are not listed */
};

/* ---- Recipients ---- */

static size_t author_index(const struct audience *a, const char *author_id)
{
        size_t i = 0;

        while (i < a->n_authors && strcmp(a->author_ids[i], author_id) != 0) {
                i++;
        }
        return i;
}

/* The followers of one author; NULL if there are none, or they were not listed. */
static const Follow__MemberFollowerIds *followers_of(const struct audience *a, const char *author_id)
{
        for (size_t i = 0; i < a->list.n_items; i++) {
                if (strcmp(a->list.items[i]->user_id, author_id) == 0) {
                        return a->list.items[i];
                }
        }
        return NULL;
}

/* All followers of the author are in the list. */
static bool is_whole(const struct audience *a, const char *author_id)
{
        return !a->cut || author_index(a, author_id) < author_index(a, a->list.items[a->list.n_items - 1]->user_id);
}

static size_t count_followers(const struct audience *a)
{
        size_t n = 0;

        for (size_t i = 0; i < a->list.n_items; i++) {
                n += a->list.items[i]->n_ids;
        }
        return n;
}

static sn_status list_audience(struct rpc_call *c, bus_event **events, size_t n, struct audience *a)
{
        Follow__ListFollowerIdsRequest in = FOLLOW__LIST_FOLLOWER_IDS_REQUEST__INIT;

        *a = (struct audience){.author_ids = ARENA_ARRAY(c->arena, char *, n)};
        follow__follower_ids__init(&a->list);
        for (size_t i = 0; i < n; i++) {
                if (!famous_is(events[i]->actor_id)) {
                        size_t k = author_index(a, events[i]->actor_id);

                        a->author_ids[k] = events[i]->actor_id;
                        a->n_authors += k == a->n_authors;
                }
        }
        if (a->n_authors == 0) {
                return SN_OK;
        }
        in.user_ids = a->author_ids;
        in.n_user_ids = a->n_authors;
        in.limit = (uint32_t)famous_fanout_max() + 1;
        in.total = ROWS_AT_ONCE;
        TRY(follow_list_follower_ids(c, &in, &a->list));
        a->cut = count_followers(a) == ROWS_AT_ONCE;
        return SN_OK;
}

/* Authors with too many followers become famous. */
static sn_status raise_famous(struct rpc_call *c, const struct audience *a, bool *raised)
{
        *raised = false;
        for (size_t i = 0; i < a->list.n_items; i++) {
                if (a->list.items[i]->n_ids > famous_fanout_max()) {
                        TRY(famous_add(c, a->list.items[i]->user_id));
                        *raised = true;
                }
        }
        return SN_OK;
}

static sn_status find_audience(struct rpc_call *c, bus_event **events, size_t n, struct audience *a)
{
        bool raised = true;

        TRY(famous_refresh(c));
        while (raised) {
                TRY(list_audience(c, events, n, a));
                TRY(raise_famous(c, a, &raised));
        }
        return SN_OK;
}

/* How many of the next events fit, with all their followers: at least the first. */
static size_t count_fitting(const struct audience *a, bus_event **events, size_t n)
{
        size_t rows = 0;

        for (size_t i = 0; i < n; i++) {
                const Follow__MemberFollowerIds *followers = followers_of(a, events[i]->actor_id);

                rows += followers != NULL ? followers->n_ids : 0;
                if (!famous_is(events[i]->actor_id) && (rows > ROWS_AT_ONCE || !is_whole(a, events[i]->actor_id))) {
                        return i;
                }
        }
        return n;
}

/* ---- Effects ---- */

/* A row for each note and follower, of authors with few followers, or of the others. */
static TimelineRows__Entry **make_entries(struct rpc_call *c, const struct audience *a, bool few, bus_event **events,
                                          size_t n_events, size_t *n)
{
        const Follow__MemberFollowerIds **followers =
            ARENA_ARRAY(c->arena, const Follow__MemberFollowerIds *, n_events);
        size_t room = 0;

        *n = 0;
        for (size_t i = 0; i < n_events; i++) {
                const Follow__MemberFollowerIds *all = followers_of(a, events[i]->actor_id);

                followers[i] = all != NULL && (all->n_ids <= FEW) == few ? all : NULL;
                room += followers[i] != NULL ? all->n_ids : 0;
        }
        TimelineRows__Entry *rows = ARENA_ARRAY(c->arena, TimelineRows__Entry, room);
        TimelineRows__Entry **entries = ARENA_ARRAY(c->arena, TimelineRows__Entry *, room);
        for (size_t i = 0; i < n_events; i++) {
                for (size_t k = 0; followers[i] != NULL && k < followers[i]->n_ids; k++) {
                        entries[*n] = &rows[*n];
                        timeline_rows__entry__init(&rows[*n]);
                        rows[*n].owner_id = followers[i]->ids[k];
                        rows[*n].note_id = events[i]->aggregate_id;
                        rows[(*n)++].author_id = events[i]->actor_id;
                }
        }
        return entries;
}

static int compare_entries(const void *a, const void *b)
{
        const TimelineRows__Entry *const *first = a, *const *second = b;
        int order = strcmp((*first)->owner_id, (*second)->owner_id);

        return order != 0 ? order : strcmp((*first)->note_id, (*second)->note_id);
}

static sn_status deliver_to(struct rpc_call *c, const struct audience *a, bool few, const struct bus_batch *batch)
{
        size_t n = 0;
        TimelineRows__Entry **entries = make_entries(c, a, few, batch->events, batch->n_done, &n);

        qsort(entries, n, sizeof(entries[0]), compare_entries);
        return home_sync_deliver(c, entries, n);
}

static sn_status deliver_batch(struct rpc_call *c, struct bus_batch *batch)
{
        struct audience a;

        TRY(find_audience(c, batch->events, batch->n, &a));
        batch->n_done = count_fitting(&a, batch->events, batch->n);
        TRY(deliver_to(c, &a, true, batch));
        return deliver_to(c, &a, false, batch);
}

/* Deleted notes stay on timelines until these are truncated: readers do not see them. */
static const char *const types[] = {"note.created", "renote.created", NULL};

const struct bus_consumer timeline_deliver = {
    .name = "deliver",
    .source = "note",
    .read_outbox = &note_methods[NOTE_READ_OUTBOX],
    .types = types,
    .handle = deliver_batch,
    .checkpoint = home_sync_checkpoint,
    .term = &home_memory_term,
};
