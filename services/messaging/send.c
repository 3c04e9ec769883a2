/* Owns sending: the message, its number, its event and the client's id for it are committed together. */
#include "services/messaging/messaging.h"

#include "base/text.h"
#include "services/messaging/log.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/show.h"
#include "services/messaging/store_log.h"

/* Asked before the transaction: a block is in force for whatever is sent after it was answered. */
static sn_status check_sender(struct rpc_call *c, const char *chat_id)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(membership_read_present(c, chat_id, &member));
        if (member.role == MESSAGING__ROLE__ROLE_READER) {
                return rpc_fail(c, SN_PERMISSION_DENIED, NULL, "readers of a chat cannot write to it");
        }
        return member.kind == MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT ? people_check_not_blocked(c, member.peer_id)
                                                                     : SN_OK;
}

/* What was sent under this id before, whatever became of the chat since; *found tells whether there was any. */
static sn_status find_sent(struct rpc_call *c, const Messaging__SendMessageRequest *in, chat_entry *entry, bool *found)
{
        MessagingRows__SentAs sent = MESSAGING_ROWS__SENT_AS__INIT;

        TRY(DB_READ(c, tx, chat_store_sent_as(tx, in->client_id, &sent, found)));
        if (!*found) {
                return SN_OK;
        }
        if (!uuid_equal(sent.chat_id, in->id)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "client_id",
                                "you sent a message to another chat under this id; draw a new one for each message");
        }
        return DB_READ(c, tx, chat_store_entry(tx, sent.chat_id, sent.message_id, entry, NULL));
}

static sn_status check_content(struct rpc_call *c, const Messaging__SendMessageRequest *in)
{
        return text_is_blank(in->text) ? rpc_fail(c, SN_INVALID_ARGUMENT, "text", "must not be empty") : SN_OK;
}

/* *mine is false when another request has sent it at the same moment. */
static sn_status store_message(struct db_tx *tx, const Messaging__SendMessageRequest *in, chat_entry *entry, bool *mine)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        MessagingRows__SentAs sent = MESSAGING_ROWS__SENT_AS__INIT;

        TRY(membership_lock(tx, in->id, &member));
        TRY(log_new(tx, &member, MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE, entry));
        TRY(chat_store_claim_client_id(tx, in->client_id, in->id, entry->id, mine, &sent));
        if (!*mine) {
                return SN_OK;
        }
        entry->text = in->text;
        entry->client_id = in->client_id;
        return log_append(tx, &member, entry);
}

static sn_status answer_sent(struct rpc_call *c, const Messaging__SendMessageRequest *in, Messaging__Message *out,
                             bool *found)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        TRY(find_sent(c, in, &entry, found));
        return *found ? show_message(c, &entry, out) : SN_OK;
}

sn_status messaging_handle_send_message(struct rpc_call *c, const Messaging__SendMessageRequest *in,
                                        Messaging__Message *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;
        bool sent = false, mine = false;

        TRY(answer_sent(c, in, out, &sent));
        if (sent) {
                return SN_OK;
        }
        TRY(check_content(c, in));
        TRY(check_sender(c, in->id));
        entry.sender_id = (char *)c->actor;
        TRY(show_message(c, &entry, out)); /* with who sends it: others are not asked within the transaction */
        TRY(db_begin(c, &tx));
        TRY(store_message(tx, in, &entry, &mine));
        if (!mine) {
                db_end(&tx);
                return answer_sent(c, in, out, &sent);
        }
        show_stored(&entry, out);
        return db_commit(c, NULL, &tx);
}
