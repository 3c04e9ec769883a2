/* Owns the lists: relationships in batches, followers, following. */
#include "services/follow/follow.h"

#include "auth/cursor.h"
#include "services/follow/relations.h"
#include "services/follow/store.h"
#include "services/member.h"
#include "services/services.h"
#include "services/user/user.rpc.h"

sn_status follow_handle_list_relationships(struct rpc_call *c, const Follow__ListRelationshipsRequest *in,
                                           Follow__RelationshipList *out)
{
        TRY(relations_get(c, c->actor, in->user_ids, in->n_user_ids, &out->items));
        out->n_items = in->n_user_ids;
        return SN_OK;
}

/* A page from one edge more than the limit: the extra one tells that there is a next page. */
static sn_status show_edges(struct rpc_call *c, const char *filter, FollowRows__Edge **edges, size_t n, size_t limit,
                            Follow__AuthorList *out)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        User__Authors found = USER__AUTHORS__INIT;
        bool more = n > limit;

        n = more ? limit : n;
        if (n == 0) {
                return SN_OK;
        }
        in.ids = ARENA_ARRAY(c->arena, char *, n);
        in.n_ids = n;
        for (size_t i = 0; i < n; i++) {
                in.ids[i] = edges[i]->user_id;
        }
        TRY(user_batch_get_authors(c, &in, &found));
        out->items = ARENA_ARRAY(c->arena, User__Author *, n);
        for (size_t i = 0; i < found.n_items; i++) {
                if (found.items[i]->id[0] != '\0') {
                        out->items[out->n_items++] = found.items[i];
                }
        }
        if (more) {
                struct cursor position = {.sort_key = edges[n - 1]->version};

                out->next_cursor = cursor_encode(c, filter, &position);
        }
        return SN_OK;
}

typedef sn_status read_edges(struct db_tx *tx, const char *user_id, int64_t before_version, size_t limit, size_t *n,
                             FollowRows__Edge ***edges);

/* The connection goes back before others are asked. */
static sn_status load_edges(struct rpc_call *c, read_edges *read, const char *user_id, int64_t before_version,
                            size_t limit, size_t *n, FollowRows__Edge ***edges)
{
        CLEANUP(db_rollback_p) struct db_tx *tx = NULL;

        TRY(db_read(c, &tx));
        return read(tx, user_id, before_version, limit, n, edges);
}

static sn_status list_edges(struct rpc_call *c, read_edges *read, char *name, const char *cursor, size_t limit,
                            Follow__AuthorList *out)
{
        FollowRows__Edge **edges = NULL;
        struct cursor position;
        char *user_id = NULL;
        size_t n = 0;

        TRY(member_find(c, name, &user_id));
        TRY(cursor_decode(c, user_id, cursor, &position));
        TRY(load_edges(c, read, user_id, position.sort_key, limit + 1, &n, &edges));
        return show_edges(c, user_id, edges, n, limit, out);
}

sn_status follow_handle_list_followers(struct rpc_call *c, const Follow__ListFollowersRequest *in,
                                       Follow__AuthorList *out)
{
        return list_edges(c, store_followers, in->user_id, in->cursor, page_limit(in->limit), out);
}

sn_status follow_handle_list_following(struct rpc_call *c, const Follow__ListFollowingRequest *in,
                                       Follow__AuthorList *out)
{
        return list_edges(c, store_following, in->user_id, in->cursor, page_limit(in->limit), out);
}
