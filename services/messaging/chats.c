/* Owns creating chats. */
#include "services/messaging/messaging.h"

#include "services/messaging/chat_pictures.h"
#include "services/messaging/chat_settings.h"
#include "services/messaging/join.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/show_chats.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_participants.h"

static sn_status check_new(struct rpc_call *c, const Messaging__CreateChatRequest *in, size_t n_others)
{
        bool direct = in->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT;

        if (direct && n_others != 1) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "user_ids", "a direct chat has exactly one other member");
        }
        if (direct && in->title[0] != '\0') {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "title", "a direct chat has no title");
        }
        if (direct && in->picture_media_id[0] != '\0') {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "picture_media_id", "a direct chat has no picture");
        }
        return direct ? SN_OK : chat_check_title(c, in->title);
}

/* Members never join or leave a direct chat, so both may read all of it. */
static sn_status put_pair(struct db_tx *tx, const struct new_chat *chat, int peer_state)
{
        struct new_participant p = {.role = MESSAGING__ROLE__ROLE_MEMBER,
                                    .state = MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN,
                                    .from_seq = 1};

        p.user_id = db_call(tx)->actor;
        TRY(chat_store_put_participant(tx, chat->id, &p));
        p.user_id = chat->peer_id;
        p.state = peer_state;
        return chat_store_put_participant(tx, chat->id, &p);
}

/* *made is false if the other member has created it meanwhile. */
static sn_status make_direct(struct db_tx *tx, const struct new_chat *chat, int peer_state, bool *made)
{
        char *id = NULL;

        TRY(db_lock_pair(tx, db_call(tx)->actor, chat->peer_id));
        TRY(chat_store_find_direct(tx, db_call(tx)->actor, chat->peer_id, &id));
        *made = id[0] == '\0';
        if (!*made) {
                return SN_OK;
        }
        TRY(chat_store_insert_chat(tx, chat));
        return put_pair(tx, chat, peer_state);
}

static sn_status come_back(struct rpc_call *c, const char *id, Messaging__Chat *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        User__Author **peer = NULL;

        TRY(membership_read(c, id, &member));
        TRY(people_get(c, &member.peer_id, 1, &peer));
        TRY(db_begin(c, &tx));
        TRY(chat_store_lock_chat(tx, id));
        TRY(chat_store_member(tx, id, c->actor, &member, NULL)); /* again, to include messages sent meanwhile */
        TRY(chat_store_come_back(tx, &member));
        TRY(show_stored_chat(tx, id, out));
        out->peer = peer[0];
        return db_commit(c, &out->base, &tx);
}

/* Writes only if the actor had declined the chat. */
static sn_status find_direct(struct rpc_call *c, const char *peer, Messaging__Chat *out, bool *found)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        char *id = NULL;

        TRY(DB_READ(c, tx, chat_store_find_direct(tx, c->actor, peer, &id)));
        *found = id[0] != '\0';
        if (!*found) {
                return SN_OK;
        }
        TRY(membership_read(c, id, &member));
        return member.state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_DECLINED ? come_back(c, id, out)
                                                                                   : show_chat(c, id, out);
}

static sn_status create_direct(struct rpc_call *c, const struct new_chat *chat, struct joining *peers,
                               Messaging__Chat *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        User__Author **peer = NULL;
        bool found = false, made = false;

        TRY(find_direct(c, chat->peer_id, out, &found));
        if (found) {
                return SN_OK;
        }
        TRY(join_check(c, peers));
        TRY(people_get(c, (char *[]){(char *)chat->peer_id}, 1, &peer));
        TRY(db_begin(c, &tx));
        TRY(make_direct(tx, chat, peers->states[0], &made));
        if (!made) {
                db_end(&tx);
                return find_direct(c, chat->peer_id, out, &found);
        }
        TRY(show_stored_chat(tx, chat->id, out));
        out->peer = peer[0];
        return db_commit(c, &out->base, &tx);
}

static sn_status create_group(struct rpc_call *c, const struct new_chat *chat, char *picture_media_id,
                              struct joining *others, Messaging__Chat *out)
{
        struct chat_picture picture = {0};
        CLEANUP(db_end) struct db_tx *tx = NULL;
        chat_member owner = MESSAGING_ROWS__MEMBER__INIT;
        const struct joining self = {.ids = (char *[]){(char *)c->actor}, .n = 1, .role = MESSAGING__ROLE__ROLE_OWNER};

        TRY(join_check(c, others));
        TRY(chat_picture_bring(c, picture_media_id, &picture));
        TRY(db_begin(c, &tx));
        TRY(chat_store_insert_chat(tx, chat));
        TRY(picture.media != NULL ? chat_picture_put(tx, chat->id, &picture) : SN_OK);
        TRY(chat_store_member(tx, chat->id, c->actor, &owner, NULL));
        TRY(join_all(tx, &owner, &self));
        TRY(join_all(tx, &owner, others));
        TRY(show_stored_chat(tx, chat->id, out));
        out->picture = picture.media;
        return db_commit(c, &out->base, &tx);
}

sn_status messaging_handle_create_chat(struct rpc_call *c, const Messaging__CreateChatRequest *in, Messaging__Chat *out)
{
        struct new_chat chat = {
            .id = uuid_new_in(c->arena), .kind = in->kind, .title = in->title, .history = in->history, .peer_id = ""};
        struct joining others = {.role = join_role((int)in->kind)};

        TRY(people_find(c, in->user_ids, in->n_user_ids, &others.ids, &others.n));
        TRY(check_new(c, in, others.n));
        if (in->kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                chat.peer_id = others.ids[0];
                return create_direct(c, &chat, &others, out);
        }
        return create_group(c, &chat, in->picture_media_id, &others, out);
}

sn_status messaging_handle_get_chat(struct rpc_call *c, const Messaging__GetChatRequest *in, Messaging__Chat *out)
{
        return show_chat(c, in->id, out);
}
