/* Owns the methods that other services call. */
#include "services/follow/follow.h"

#include <string.h>
#include "services/follow/followers.h"
#include "services/follow/relations.h"
#include "services/follow/store.h"

/* The version is read first: relationships that change in between are then newer than it says, never older. */
sn_status follow_handle_get_relations(struct rpc_call *c, const Follow__GetRelationsRequest *in, Follow__Relations *out)
{
        TRY(relations_version(c, in->viewer_id, &out->version));
        TRY(relations_get(c, (enum read_from)in->from, in->viewer_id, in->user_ids, in->n_user_ids, &out->items));
        out->n_items = in->n_user_ids;
        return SN_OK;
}

sn_status follow_handle_get_viewers_relations(struct rpc_call *c, const Follow__GetViewersRelationsRequest *in,
                                              Follow__Relations *out)
{
        if (in->n_viewer_ids != in->n_user_ids) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "viewer_ids", "must have as many items as user_ids");
        }
        out->n_items = in->n_user_ids;
        return relations_get_pairs(c, (enum read_from)in->from, in->viewer_ids, in->user_ids, out->n_items,
                                   &out->items);
}

sn_status follow_handle_get_blocks(struct rpc_call *c, const Follow__GetBlocksRequest *in, Follow__Blocks *out)
{
        if (in->n_blocked_ids != in->n_blocker_ids) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "blocked_ids", "must have as many items as blocker_ids");
        }
        out->n_items = in->n_blocker_ids;
        out->items = ARENA_ARRAY(c->arena, protobuf_c_boolean, out->n_items);
        return relations_blocks(c, (enum read_from)in->from, in->blocker_ids, in->blocked_ids, out->n_items,
                                out->items);
}

static char **ids_of(struct rpc_call *c, FollowRows__Edge *const *edges, size_t n)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = edges[i]->user_id;
        }
        return ids;
}

/* The rows come grouped by member. */
static void group_followers(struct rpc_call *c, FollowRows__Follower *const *rows, size_t n, Follow__FollowerIds *out)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        Follow__MemberFollowerIds *of = NULL;

        for (size_t i = 0; i < n; i++) {
                if (of == NULL || strcmp(of->user_id, rows[i]->user_id) != 0) {
                        of = ARENA_NEW(c->arena, Follow__MemberFollowerIds);
                        follow__member_follower_ids__init(of);
                        of->user_id = rows[i]->user_id;
                        of->ids = ids + i;
                        out->items[out->n_items++] = of;
                }
                of->ids[of->n_ids++] = rows[i]->follower_id;
        }
}

sn_status follow_handle_list_follower_ids(struct rpc_call *c, const Follow__ListFollowerIdsRequest *in,
                                          Follow__FollowerIds *out)
{
        FollowRows__Follower **rows = NULL;
        size_t n = 0;
        bool answered = false;

        TRY(followers_list(c, in, out, &answered));
        if (answered) {
                return SN_OK;
        }
        TRY(DB_READ(
            c, tx,
            store_follower_ids(tx, in->user_ids, in->n_user_ids, in->after_id, in->limit, in->total, &n, &rows)));
        out->items = ARENA_ARRAY(c->arena, Follow__MemberFollowerIds *, in->n_user_ids);
        group_followers(c, rows, n, out);
        return SN_OK;
}

sn_status follow_handle_list_followed_since(struct rpc_call *c, const Follow__ListFollowedSinceRequest *in,
                                            Follow__FollowedMembers *out)
{
        FollowRows__Edge **edges = NULL;

        TRY(DB_READ(c, tx,
                    store_followed_since(tx, in->user_id, in->after_version, in->without_muted, in->limit, &out->n_ids,
                                         &edges)));
        out->ids = ids_of(c, edges, out->n_ids);
        out->version = out->n_ids > 0 ? edges[out->n_ids - 1]->version : in->after_version;
        return SN_OK;
}
