/* Owns changing and deleting chats. */
#include "services/messaging/chat_settings.h"

#include "base/text.h"
#include "services/messaging/chat_pictures.h"
#include "services/messaging/log.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/show_chats.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_participants.h"

sn_status chat_check_title(struct rpc_call *c, const char *title)
{
        return !text_is_blank(title) ? SN_OK : rpc_fail(c, SN_INVALID_ARGUMENT, "title", "must not be empty");
}

static bool sets_title(const Messaging__UpdateChatRequest *in)
{
        return in->title_presence_case == MESSAGING__UPDATE_CHAT_REQUEST__TITLE_PRESENCE_TITLE;
}

static bool sets_history(const Messaging__UpdateChatRequest *in)
{
        return in->history_presence_case == MESSAGING__UPDATE_CHAT_REQUEST__HISTORY_PRESENCE_HISTORY;
}

static bool sets_picture(const Messaging__UpdateChatRequest *in)
{
        return in->picture_presence_case == MESSAGING__UPDATE_CHAT_REQUEST__PICTURE_PRESENCE_PICTURE_MEDIA_ID;
}

static sn_status check_update(struct rpc_call *c, const chat_member *member, const Messaging__UpdateChatRequest *in)
{
        TRY(membership_check_takes_part(c, member));
        if (member->kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                return membership_check_administers(c, member, "change it");
        }
        return sets_title(in) || sets_history(in) || sets_picture(in)
                   ? rpc_fail(c, SN_FAILED_PRECONDITION, "id", "a direct chat has no title, picture or history setting")
                   : SN_OK;
}

static sn_status update_chat(struct db_tx *tx, const Messaging__UpdateChatRequest *in,
                             const struct chat_picture *picture, Messaging__Chat *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        TRY(membership_lock(tx, in->id, &member));
        TRY(check_update(db_call(tx), &member, in));
        TRY(chat_store_update_chat(tx, in));
        TRY(sets_picture(in) ? chat_picture_put(tx, in->id, picture) : SN_OK);
        TRY(log_add(tx, &member, MESSAGING__CHANGE_KIND__CHANGE_KIND_CHAT, "", "", &entry));
        return show_stored_chat(tx, in->id, out);
}

sn_status messaging_handle_update_chat(struct rpc_call *c, const Messaging__UpdateChatRequest *in, Messaging__Chat *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        struct chat_picture picture = {0};

        if (sets_title(in)) {
                TRY(chat_check_title(c, in->title));
        }
        TRY(membership_read_present(c, in->id, &member));
        TRY(check_update(c, &member, in));
        TRY(people_check_not_blocked(c, &member));
        TRY(sets_picture(in) ? chat_picture_bring(c, in->picture_media_id, &picture) : SN_OK);
        TRY(show_chat(c, in->id, out)); /* calls other services, so before the transaction */
        TRY(db_begin(c, &tx));
        TRY(update_chat(tx, in, &picture, out));
        out->picture = sets_picture(in) ? picture.media : out->picture;
        return db_commit(c, NULL, &tx);
}

static sn_status delete_chat(struct db_tx *tx, const char *id)
{
        struct rpc_call *c = db_call(tx);
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        TRY(membership_lock(tx, id, &member));
        if (member.kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                TRY(chat_store_forget_past(tx, &member));
                return outbox_put(
                    tx, &(struct outbox_event){.type = EVENT_CHAT_TOUCHED, .aggregate_id = id, .object_id = c->actor});
        }
        if (member.role != MESSAGING__ROLE__ROLE_OWNER) {
                return rpc_fail(c, SN_PERMISSION_DENIED, NULL, "only its owner can delete this chat; you can leave it");
        }
        TRY(log_add(tx, &member, MESSAGING__CHANGE_KIND__CHANGE_KIND_ENDED, "", "", &entry));
        TRY(chat_picture_put(tx, id, &(struct chat_picture){0}));
        return chat_store_end_chat(tx, id);
}

sn_status messaging_handle_delete_chat(struct rpc_call *c, const Messaging__DeleteChatRequest *in,
                                       Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, delete_chat(tx, in->id));
}
