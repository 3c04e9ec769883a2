/* Owns invite links, with which members join groups and channels on their own. Anyone with the token may use it; it is
 * shown once, and only its hash is stored. */
#include "services/messaging/messaging.h"

#include <sodium.h>
#include <string.h>
#include "auth/base64url.h"
#include "base/clock.h"
#include "services/messaging/join.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/show_chats.h"
#include "services/messaging/store_applicants.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_links.h"

enum { TOKEN_BYTES = 32, LINKS_MAX = 50, USES = 100, EXPIRES_IN_S = 7 * 24 * 3600 };

static char *new_token(struct arena *arena)
{
        char *text = arena_alloc(arena, BASE64URL_CHARS(TOKEN_BYTES) + 1);
        uint8_t bytes[TOKEN_BYTES];

        random_bytes(bytes, sizeof(bytes));
        return base64url_encode(bytes, sizeof(bytes), text);
}

/* The token is random, so the hash needs no key. */
static void hash_token(const char *token, uint8_t hash[LINK_HASH_BYTES])
{
        (void)crypto_generichash(hash, LINK_HASH_BYTES, (const uint8_t *)token, strlen(token), NULL, 0);
}

sn_status messaging_handle_create_chat_link(struct rpc_call *c, const Messaging__CreateChatLinkRequest *in,
                                            Messaging__NewChatLink *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        uint8_t hash[LINK_HASH_BYTES];
        struct new_link link = {.chat_id = in->id,
                                .hash = hash,
                                .uses = in->uses != 0 ? in->uses : USES,
                                .expires_in_s = in->expires_in_s != 0 ? in->expires_in_s : EXPIRES_IN_S,
                                .approval = in->approval};
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        Messaging__ChatLink **links = NULL;
        User__Author **creator = NULL;
        size_t n = 0;

        out->token = new_token(c->arena);
        hash_token(out->token, hash);
        out->link = ARENA_NEW(c->arena, Messaging__ChatLink);
        messaging__chat_link__init(out->link);
        TRY(people_get(c, (char *[]){(char *)c->actor}, 1, &creator));
        TRY(db_begin(c, &tx));
        TRY(join_lock(tx, in->id, "look after its links", &member));
        TRY(link_store_list(tx, in->id, LINKS_MAX, &n, &links));
        if (n == LINKS_MAX) {
                return rpc_fail(c, SN_RESOURCE_EXHAUSTED, "id", "a chat has at most %d links; revoke one first",
                                LINKS_MAX);
        }
        TRY(link_store_insert(tx, &link, out->link));
        out->link->creator = creator[0];
        return db_commit(c, NULL, &tx);
}

static sn_status read_links(struct db_tx *tx, const char *chat_id, Messaging__ChatLinkList *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(join_lock(tx, chat_id, "look after its links", &member));
        return link_store_list(tx, chat_id, LINKS_MAX, &out->n_items, &out->items);
}

sn_status messaging_handle_list_chat_links(struct rpc_call *c, const Messaging__ListChatLinksRequest *in,
                                           Messaging__ChatLinkList *out)
{
        User__Author **creators = NULL;
        char *ids[LINKS_MAX];

        TRY(DB_WRITE(c, tx, read_links(tx, in->id, out)));
        for (size_t i = 0; i < out->n_items; i++) {
                ids[i] = out->items[i]->creator->id;
        }
        TRY(people_get(c, ids, out->n_items, &creators));
        for (size_t i = 0; i < out->n_items; i++) {
                out->items[i]->creator = creators[i];
        }
        return SN_OK;
}

static sn_status revoke_link(struct db_tx *tx, const char *chat_id, const char *id)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        bool deleted = false;

        TRY(join_lock(tx, chat_id, "look after its links", &member));
        TRY(link_store_delete(tx, chat_id, id, &deleted));
        return deleted ? SN_OK : rpc_fail(db_call(tx), SN_NOT_FOUND, "link_id", "this chat has no link with this id");
}

sn_status messaging_handle_revoke_chat_link(struct rpc_call *c, const Messaging__RevokeChatLinkRequest *in,
                                            Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, revoke_link(tx, in->id, in->link_id));
}

/* ---- Using a link ---- */

/* The same error whatever is wrong, so that a link reveals nothing about a chat that cannot be joined. */
static sn_status fail_link(struct rpc_call *c)
{
        return rpc_fail_code(c, SN_FAILED_PRECONDITION, "link_invalid", "token",
                             "is no longer valid: ask whoever gave you the link for a new one");
}

static sn_status use_link(struct db_tx *tx, const uint8_t *hash)
{
        bool used = false;

        TRY(link_store_use(tx, hash, &used));
        return used ? SN_OK : fail_link(db_call(tx));
}

static sn_status come_in(struct db_tx *tx, chat_member *member, const uint8_t *hash)
{
        struct rpc_call *c = db_call(tx);
        struct joining self = {.ids = (char *[]){(char *)c->actor}, .n = 1, .role = join_role(member->kind)};

        TRY(use_link(tx, hash));
        if (member->kind == MESSAGING__CHAT_KIND__CHAT_KIND_GROUP && member->members >= GROUP_MAX) {
                return rpc_fail(c, SN_FAILED_PRECONDITION, "token", "this group is full: it has %d members", GROUP_MAX);
        }
        return join_all(tx, member, &self);
}

/* Applying again does not count as a use. */
static sn_status apply_to_chat(struct db_tx *tx, const chat_member *member, const uint8_t *hash)
{
        bool added = false;

        TRY(applicant_store_add(tx, member->chat_id, &added));
        return added ? use_link(tx, hash) : SN_OK;
}

static sn_status join_chat(struct db_tx *tx, const MessagingRows__WorkingLink *link, const uint8_t *hash,
                           Messaging__JoinedChat *out)
{
        struct rpc_call *c = db_call(tx);
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(chat_store_lock_chat(tx, link->chat_id));
        TRY(chat_store_member(tx, link->chat_id, c->actor, &member, NULL));
        if (member.removed) {
                return fail_link(c);
        }
        if (link->approval && !membership_is_present(&member)) {
                out->waiting = true;
                return apply_to_chat(tx, &member, hash);
        }
        TRY(membership_is_present(&member) ? SN_OK : come_in(tx, &member, hash));
        out->chat = ARENA_NEW(c->arena, Messaging__Chat);
        messaging__chat__init(out->chat);
        return show_stored_chat(tx, link->chat_id, out->chat);
}

/* Members who are already in the chat do not use up the link. */
sn_status messaging_handle_join_chat(struct rpc_call *c, const Messaging__JoinChatRequest *in,
                                     Messaging__JoinedChat *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        MessagingRows__WorkingLink link = MESSAGING_ROWS__WORKING_LINK__INIT;
        uint8_t hash[LINK_HASH_BYTES];
        bool found = false;

        hash_token(in->token, hash);
        TRY(DB_READ(c, read, link_store_find(read, hash, &link, &found)));
        if (!found) {
                return fail_link(c);
        }
        TRY(db_begin(c, &tx));
        TRY(join_chat(tx, &link, hash, out));
        return db_commit(c, NULL, &tx);
}
