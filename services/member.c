/* Owns resolving members given by ID or username. */
#include "services/member.h"

static sn_status find_by_id(struct rpc_call *c, char *id, User__Authors *found)
{
        User__BatchGetAuthorsRequest in = USER__BATCH_GET_AUTHORS_REQUEST__INIT;

        id = arena_strdup(c->arena, id);
        uuid_to_lowercase(id);
        in.ids = &id;
        in.n_ids = 1;
        return user_batch_get_authors(c, &in, found);
}

static sn_status find_by_username(struct rpc_call *c, char *username, User__Authors *found)
{
        User__ResolveUsernamesRequest in = USER__RESOLVE_USERNAMES_REQUEST__INIT;

        in.usernames = &username;
        in.n_usernames = 1;
        return user_resolve_usernames(c, &in, found);
}

sn_status member_find_author(struct rpc_call *c, char *name, User__Author **author)
{
        User__Authors found = USER__AUTHORS__INIT;

        TRY(uuid_valid(name) ? find_by_id(c, name, &found) : find_by_username(c, name, &found));
        if (found.n_items != 1 || found.items[0]->id[0] == '\0') {
                return rpc_fail(c, SN_NOT_FOUND, "user_id", "there is no member with this id or username");
        }
        *author = found.items[0];
        return SN_OK;
}

sn_status member_find(struct rpc_call *c, char *name, char **id)
{
        User__Author *author = NULL;

        TRY(member_find_author(c, name, &author));
        *id = author->id;
        return SN_OK;
}
