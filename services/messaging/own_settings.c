/* Owns members' own settings of a chat: archived, pinned, muted, draft, and accepting or declining it. Their other
 * devices are told to reload the chat. */
#include "services/messaging/messaging.h"

#include "services/messaging/join.h"
#include "services/messaging/membership.h"
#include "services/messaging/store_participants.h"

static sn_status tell_devices(struct db_tx *tx, const char *chat_id)
{
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_CHAT_TOUCHED,
                                                     .aggregate_id = chat_id,
                                                     .object_id = db_call(tx)->actor});
}

static sn_status put_setting(struct db_tx *tx, enum own_setting setting, const char *chat_id, struct db_bind value)
{
        TRY(chat_store_set(tx, setting, chat_id, db_call(tx)->actor, value));
        return tell_devices(tx, chat_id);
}

static sn_status set_setting(struct rpc_call *c, enum own_setting setting, const char *chat_id, struct db_bind value)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(membership_read_present(c, chat_id, &member));
        return DB_WRITE(c, tx, put_setting(tx, setting, chat_id, value));
}

sn_status messaging_handle_archive_chat(struct rpc_call *c, const Messaging__ArchiveChatRequest *in,
                                        Google__Protobuf__Empty *out)
{
        return set_setting(c, OWN_ARCHIVED, in->id, bind_bool(true));
}

sn_status messaging_handle_unarchive_chat(struct rpc_call *c, const Messaging__UnarchiveChatRequest *in,
                                          Google__Protobuf__Empty *out)
{
        return set_setting(c, OWN_ARCHIVED, in->id, bind_bool(false));
}

sn_status messaging_handle_pin_chat(struct rpc_call *c, const Messaging__PinChatRequest *in,
                                    Google__Protobuf__Empty *out)
{
        return set_setting(c, OWN_PINNED, in->id, bind_bool(true));
}

sn_status messaging_handle_unpin_chat(struct rpc_call *c, const Messaging__UnpinChatRequest *in,
                                      Google__Protobuf__Empty *out)
{
        return set_setting(c, OWN_PINNED, in->id, bind_bool(false));
}

#define FOR_GOOD_MS INT64_C(253402300799000) /* the end of the year 9999 */

sn_status messaging_handle_mute_chat(struct rpc_call *c, const Messaging__MuteChatRequest *in,
                                     Google__Protobuf__Empty *out)
{
        int64_t until = in->until != NULL ? in->until->seconds * 1000 + in->until->nanos / 1000000 : FOR_GOOD_MS;

        if (until <= c->now_ms || until > FOR_GOOD_MS) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "until", "must be in the future");
        }
        return set_setting(c, OWN_MUTED, in->id, bind_time_ms(until));
}

sn_status messaging_handle_unmute_chat(struct rpc_call *c, const Messaging__UnmuteChatRequest *in,
                                       Google__Protobuf__Empty *out)
{
        return set_setting(c, OWN_MUTED, in->id, bind_null());
}

sn_status messaging_handle_put_draft(struct rpc_call *c, const Messaging__PutDraftRequest *in,
                                     Google__Protobuf__Empty *out)
{
        return set_setting(c, OWN_DRAFT, in->id, bind_text(in->text));
}

/* ---- Requests ---- */

static sn_status lock_request(struct db_tx *tx, const char *chat_id, chat_member *member)
{
        TRY(membership_lock(tx, chat_id, member));
        return member->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_REQUEST
                   ? SN_OK
                   : rpc_fail(db_call(tx), SN_FAILED_PRECONDITION, "id", "this chat is not waiting to be accepted");
}

static sn_status accept_chat(struct db_tx *tx, const char *chat_id)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(lock_request(tx, chat_id, &member));
        TRY(put_setting(tx, OWN_STATE, chat_id, bind_i64(MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN)));
        return join_find_owner(tx, &member);
}

sn_status messaging_handle_accept_chat(struct rpc_call *c, const Messaging__AcceptChatRequest *in,
                                       Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, accept_chat(tx, in->id));
}

/* Declining a group leaves it. Declining a direct chat is not visible to the other member. */
static sn_status decline_chat(struct db_tx *tx, const char *chat_id)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(lock_request(tx, chat_id, &member));
        if (member.kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                return join_end(tx, &member, db_call(tx)->actor);
        }
        TRY(chat_store_decline(tx, &member));
        return tell_devices(tx, chat_id);
}

sn_status messaging_handle_decline_chat(struct rpc_call *c, const Messaging__DeclineChatRequest *in,
                                        Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, decline_chat(tx, in->id));
}
