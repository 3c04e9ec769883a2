/* Owns the lists: relationships in batches, followers, following. */
#include "services/follow/follow.h"

#include <string.h>
#include "base/in_flight.h"
#include "services/follow/relations.h"
#include "services/follow/store.h"
#include "services/member.h"
#include "services/user/user.rpc.h"

sn_status follow_handle_list_relationships(struct rpc_call *c, const Follow__ListRelationshipsRequest *in,
                                           Follow__RelationshipList *out)
{
        TRY(relations_get(c, READ_FROM_ANYWHERE, c->actor, in->user_ids, in->n_user_ids, &out->items));
        out->n_items = in->n_user_ids;
        return SN_OK;
}

/* ---- Followers, and whom somebody follows ---- */

typedef sn_status read_edges(struct db_tx *tx, const char *user_id, const struct page_scan *scan, size_t *n,
                             FollowRows__Edge ***edges);

struct list {
        char *owner;
        read_edges *read;
        bool of_followers;
};

static sn_status fetch(struct rpc_call *c, void *context, const struct page_scan *scan, struct page_refs *out)
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

static sn_status locate(struct rpc_call *c, void *context, struct position *at)
{
        FollowRows__Edge edge = FOLLOW_ROWS__EDGE__INIT;
        const struct list *list = context;
        bool found = false;

        TRY(DB_READ(c, tx,
                    store_follow(tx, list->of_followers ? at->id : list->owner,
                                 list->of_followers ? list->owner : at->id, &edge, &found)));
        at->sort_key = edge.created_at_ms;
        return found ? SN_OK
                     : rpc_fail(c, SN_INVALID_ARGUMENT, "after",
                                "there is no member with this id in the list; use a cursor instead");
}

static sn_status show(struct rpc_call *c, void *context, char **ids, size_t n, size_t *n_items,
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

static sn_status list_edges(struct rpc_call *c, char *name, struct list *list, const struct page_asked *asked,
                            Follow__AuthorList *out)
{
        struct page_source source = {
            .newest_first = true, .fetch = fetch, .locate = locate, .show = show, .context = list};
        struct page page;

        TRY(member_find(c, name, &list->owner));
        source.filter = list->owner;
        TRY(page_read(c, &source, asked, &page));
        PAGE_ANSWER(out, &page);
        return SN_OK;
}

sn_status follow_handle_list_followers(struct rpc_call *c, const Follow__ListFollowersRequest *in,
                                       Follow__AuthorList *out)
{
        struct list list = {.read = store_followers, .of_followers = true};

        return list_edges(c, in->user_id, &list, PAGE_ASKED(in, FOLLOW__LIST_FOLLOWERS_REQUEST), out);
}

sn_status follow_handle_list_following(struct rpc_call *c, const Follow__ListFollowingRequest *in,
                                       Follow__AuthorList *out)
{
        struct list list = {.read = store_following};

        return list_edges(c, in->user_id, &list, PAGE_ASKED(in, FOLLOW__LIST_FOLLOWING_REQUEST), out);
}
