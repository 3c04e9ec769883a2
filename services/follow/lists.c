/* Owns the lists: relationships in batches, followers, following, follow requests. */
#include "services/follow/follow.h"

#include <string.h>
#include "base/in_flight.h"
#include "services/follow/relations.h"
#include "services/follow/store.h"
#include "services/member.h"

/* Relationships with a deactivated account are not shown. */
static sn_status hide_gone(struct rpc_call *c, char **ids, size_t n, Follow__Relationship **relations)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors found = USER__AUTHORS__INIT;

        in.ids = ids;
        in.n_ids = n;
        TRY(user_batch_get_authors(c, &in, &found));
        for (size_t i = 0; i < found.n_items && i < n; i++) {
                if (found.items[i]->id[0] == '\0') {
                        follow__relationship__init(relations[i]);
                        relations[i]->user_id = ids[i];
                }
        }
        return SN_OK;
}

sn_status follow_handle_list_relationships(struct rpc_call *c, const Follow__ListRelationshipsRequest *in,
                                           Follow__RelationshipList *out)
{
        TRY(relations_get(c, READ_FROM_ANYWHERE, c->actor, in->user_ids, in->n_user_ids, &out->items));
        out->n_items = in->n_user_ids;
        return hide_gone(c, in->user_ids, in->n_user_ids, out->items);
}

/* ---- Followers, following, and follow requests ---- */

typedef sn_status read_edges(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                             FollowRows__Edge ***edges);
typedef sn_status find_edge(struct db_tx *tx, const char *user_id, const char *other, FollowRows__Edge *edge,
                            bool *found);

struct list {
        const char *owner;
        read_edges *read;
        find_edge *find;
};

static sn_status find_follower(struct db_tx *tx, const char *user_id, const char *other, FollowRows__Edge *edge,
                               bool *found)
{
        return store_follow(tx, other, user_id, edge, found);
}

static sn_status fetch_relations(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
{
        const struct list *list = context;
        FollowRows__Edge **edges = NULL;
        char settled[UUID_SIZE];

        out->settled.sort_key = uuid_time_ms(in_flight_settled(c->service, settled));
        TRY(DB_READ(c, tx, list->read(tx, list->owner, scan, &out->n, &edges)));
        out->items = ARENA_ARRAY(c->arena, struct page_ref, out->n);
        for (size_t i = 0; i < out->n; i++) {
                out->items[i].at.sort_key = edges[i]->created_at_ms;
                memcpy(out->items[i].at.id, edges[i]->user_id, UUID_SIZE);
        }
        return SN_OK;
}

/* The followers of a private account, and whom it follows, are only visible to its followers: others do not see it
 * in other members' lists either, except the member whose list it is. */
static sn_status may_see(struct rpc_call *c, const struct list *list, User__Author *const *authors, size_t n,
                         bool *seen)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        Follow__Relationship **relations = NULL;

        for (size_t i = 0; i < n; i++) {
                ids[i] = authors[i]->id;
        }
        TRY(relations_get(c, READ_FROM_ANYWHERE, c->actor, ids, n, &relations));
        for (size_t i = 0; i < n; i++) {
                seen[i] = ids[i][0] != '\0' && (!authors[i]->private_ || relations[i]->following ||
                                                uuid_equal(ids[i], c->actor) || uuid_equal(list->owner, c->actor));
        }
        return SN_OK;
}

/* As in the list: a hidden member is not in it. */
static sn_status locate_relation(struct rpc_call *c, void *context, struct position *at)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors authors = USER__AUTHORS__INIT;
        FollowRows__Edge edge = FOLLOW_ROWS__EDGE__INIT;
        const struct list *list = context;
        bool found = false, seen = false;

        in.ids = (char *[]){at->id};
        in.n_ids = 1;
        TRY(DB_READ(c, tx, list->find(tx, list->owner, at->id, &edge, &found)));
        TRY(user_batch_get_authors(c, &in, &authors));
        TRY(may_see(c, list, authors.items, authors.n_items, &seen));
        at->sort_key = edge.created_at_ms;
        return found && seen ? SN_OK
                             : rpc_fail(c, SN_INVALID_ARGUMENT, "after",
                                        "there is no member with this ID in the list; use a cursor instead");
}

static sn_status show_relations(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
                                ProtobufCMessage ***items)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors found = USER__AUTHORS__INIT;
        bool *seen = ARENA_ARRAY(c->arena, bool, n);

        in.ids = ids;
        in.n_ids = n;
        TRY(user_batch_get_authors(c, &in, &found));
        TRY(may_see(c, context, found.items, found.n_items, seen));
        *items = ARENA_ARRAY(c->arena, ProtobufCMessage *, found.n_items);
        for (size_t i = 0; i < found.n_items; i++) {
                if (seen[i]) {
                        (*items)[(*n_items)++] = &found.items[i]->base;
                }
        }
        return SN_OK;
}

static sn_status read_list(struct rpc_call *c, struct list *list, const struct page_asked *asked,
                           Follow__AuthorList *out)
{
        struct page_source source = {.filter = list->owner,
                                     .newest_first = true,
                                     .fetch = fetch_relations,
                                     .locate = locate_relation,
                                     .show = show_relations,
                                     .context = list};
        struct page page;

        TRY(page_read(c, &source, asked, &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

/* Without access, the list of a private account is empty. */
static sn_status list_edges(struct rpc_call *c, char *name, struct list *list, const struct page_asked *asked,
                            Follow__AuthorList *out)
{
        User__Author *owner = NULL;
        bool seen = false;

        TRY(member_find_author(c, name, &owner));
        list->owner = owner->id;
        TRY(may_see(c, list, &owner, 1, &seen));
        return seen ? read_list(c, list, asked, out) : SN_OK;
}

sn_status follow_handle_list_followers(struct rpc_call *c, const Follow__ListFollowersRequest *in,
                                       Follow__AuthorList *out)
{
        struct list list = {.read = store_followers, .find = find_follower};

        return list_edges(c, in->user_id, &list, PAGE_ASKED(in, FOLLOW__LIST_FOLLOWERS_REQUEST), out);
}

sn_status follow_handle_list_following(struct rpc_call *c, const Follow__ListFollowingRequest *in,
                                       Follow__AuthorList *out)
{
        struct list list = {.read = store_following, .find = store_follow};

        return list_edges(c, in->user_id, &list, PAGE_ASKED(in, FOLLOW__LIST_FOLLOWING_REQUEST), out);
}

sn_status follow_handle_list_follow_requests(struct rpc_call *c, const Follow__ListFollowRequestsRequest *in,
                                             Follow__AuthorList *out)
{
        struct list list = {.owner = c->actor, .read = store_requests, .find = store_request};

        return read_list(c, &list, PAGE_ASKED(in, FOLLOW__LIST_FOLLOW_REQUESTS_REQUEST), out);
}
