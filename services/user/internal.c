/* Owns the methods that other services call. */
#include "services/user/user.h"

#include "auth/token.h"
#include "services/user/authors.h"
#include "services/user/store.h"
#include "services/user/store_email.h"
#include "services/user/username.h"

sn_status user_handle_batch_get_authors(struct rpc_call *c, const User__BatchGetAuthorsRequest *in, User__Authors *out)
{
        TRY(authors_get(c, in->ids, in->n_ids, &out->items));
        out->n_items = in->n_ids;
        return SN_OK;
}

sn_status user_handle_resolve_usernames(struct rpc_call *c, const User__ResolveUsernamesRequest *in, User__Authors *out)
{
        char **keys = ARENA_ARRAY(c->arena, char *, in->n_usernames);

        for (size_t i = 0; i < in->n_usernames; i++) {
                keys[i] = username_key_shown(c->arena, in->usernames[i]);
        }
        return DB_READ(c, tx, store_authors_by_name(tx, keys, in->n_usernames, &out->n_items, &out->items));
}

sn_status user_handle_batch_get_indexed(struct rpc_call *c, const User__BatchGetIndexedRequest *in,
                                        User__IndexedUsers *out)
{
        return DB_READ(c, tx, store_indexed(tx, in->ids, in->n_ids, &out->n_items, &out->items));
}

sn_status user_handle_list_indexed(struct rpc_call *c, const User__ListIndexedRequest *in, User__IndexedUsers *out)
{
        TRY(DB_READ(c, tx, store_indexed_after(tx, in->after_id, in->limit, &out->n_items, &out->items)));
        out->last_id = out->n_items == in->limit ? out->items[in->limit - 1]->id : (char *)protobuf_c_empty_string;
        return SN_OK;
}

sn_status user_handle_get_privacy(struct rpc_call *c, const User__GetPrivacyRequest *in, User__Privacy *out)
{
        bool found = false;

        TRY(DB_READ(c, tx, store_privacy(tx, in->user_id, out, &found)));
        return found ? SN_OK : rpc_fail(c, SN_NOT_FOUND, "user_id", "there is no member with this id");
}

sn_status user_handle_batch_get_countable(struct rpc_call *c, const User__BatchGetCountableRequest *in,
                                          User__CountableMembers *out)
{
        return DB_READ(c, tx, store_countable(tx, in->ids, in->n_ids, &out->n_ids, &out->ids));
}

sn_status user_handle_batch_get_mail_recipients(struct rpc_call *c, const User__BatchGetMailRecipientsRequest *in,
                                                User__MailRecipients *out)
{
        return DB_READ(c, tx, store_mail_recipients(tx, in->ids, in->n_ids, &out->n_items, &out->items));
}

sn_status user_handle_get_jwks(struct rpc_call *c, const User__GetJwksRequest *in, User__Jwks *out)
{
        out->json = (char *)token_jwks();
        return SN_OK;
}
