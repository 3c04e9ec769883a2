/* Owns sending messages: the message, its number, its event and its client id are committed together. */
#include "services/messaging/messaging.h"

#include <string.h>
#include "base/text.h"
#include "services/messaging/attachments.h"
#include "services/messaging/chat_mentions.h"
#include "services/messaging/known_chats.h"
#include "services/messaging/log.h"
#include "services/messaging/membership.h"
#include "services/messaging/messages.h"
#include "services/messaging/people.h"
#include "services/messaging/recent_messages.h"
#include "services/messaging/search_messages.h"
#include "services/messaging/show.h"
#include "services/messaging/store_log.h"
#include "services/messaging/versions.h"

static sn_status check_sender(struct rpc_call *c, const chat_member *member)
{
        TRY(membership_check_writes(c, member));
        return people_check_not_blocked(c, member);
}

/* Finds a message already sent with this client id, whatever happened to the chat since. *found: whether there is one.
 */
static sn_status find_sent(struct rpc_call *c, const Messaging__SendMessageRequest *in, chat_entry *entry, bool *found)
{
        MessagingRows__SentAs sent = MESSAGING_ROWS__SENT_AS__INIT;

        TRY(DB_READ(c, tx, chat_store_sent_as(tx, in->client_id, &sent, found)));
        if (!*found) {
                return SN_OK;
        }
        if (!uuid_equal(sent.chat_id, in->id)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "client_id",
                                "this id was used for a message to another chat; generate a new one for each message");
        }
        return DB_READ(c, tx, chat_store_entry(tx, sent.chat_id, sent.message_id, entry, NULL));
}

static sn_status check_content(struct rpc_call *c, const Messaging__SendMessageRequest *in)
{
        bool blank = text_is_blank(in->text), shares = in->note_id[0] != '\0' || in->n_media_ids > 0;

        if (in->forward != NULL && (!blank || shares)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "forward", "a forwarded message cannot have text of its own");
        }
        return blank && !shares && in->forward == NULL ? rpc_fail(c, SN_INVALID_ARGUMENT, "text", "must not be empty")
                                                       : SN_OK;
}

/* Members can forward what they can read, and share what they can see. */
static sn_status load_forwarded(struct rpc_call *c, const Messaging__ForwardedMessage *of, chat_entry *entry,
                                struct attachments *attachments)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry found, *message = &found;

        TRY(membership_read(c, of->chat_id, &member));
        TRY(DB_READ(c, tx, messages_find_shown(tx, &member, of->message_id, &found)));
        TRY(messages_check_kept(c, &found));
        TRY(versions_choose(c, &(const chat_member *){&member}, &message, 1));
        entry->text = message->text;
        entry->note_id = message->note_id;
        entry->forwarded = true;
        return attachments_pass_on(c, message, attachments);
}

/* The answered message already exists, and what it answers never changes, so there are no cycles. */
static sn_status check_answered(struct rpc_call *c, const chat_member *member, const char *id)
{
        chat_entry answered;

        if (id[0] == '\0') {
                return SN_OK;
        }
        if (DB_READ(c, tx, messages_find(tx, member, id, &answered)) == SN_NOT_FOUND) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "reply_to_id", "there is no message with this id in the chat");
        }
        return c->problem.status;
}

/* Everything that is stored with a message. */
struct content {
        chat_entry entry;
        struct attachments attachments;
        struct named named;
};

static sn_status fill_entry(struct rpc_call *c, const Messaging__SendMessageRequest *in, const chat_member *member,
                            struct content *content)
{
        chat_entry *entry = &content->entry;

        messaging_rows__entry__init(entry);
        entry->sender_id = (char *)c->actor;
        entry->text = in->text;
        entry->note_id = in->note_id;
        entry->client_id = in->client_id;
        entry->reply_to_id = in->reply_to_id;
        entry->expires_in_s = in->expires_in_s != 0 ? in->expires_in_s : member->expires_in_s;
        TRY(check_answered(c, member, in->reply_to_id));
        if (in->forward != NULL) {
                return load_forwarded(c, in->forward, entry, &content->attachments);
        }
        TRY(chat_mentions_find(c, in->id, in->text, &content->named));
        return attachments_bring(c, in->media_ids, in->n_media_ids, &content->attachments);
}

static bool has_only_text(const struct content *content)
{
        const chat_entry *entry = &content->entry;

        return content->attachments.n == 0 && content->named.n == 0 && entry->note_id[0] == '\0' &&
               entry->reply_to_id[0] == '\0' && entry->expires_in_s == 0;
}

static sn_status store_content(struct db_tx *tx, chat_member *member, struct content *content)
{
        TRY(attachments_put(tx, content->entry.id, &content->attachments));
        TRY(log_append(tx, member, &content->entry));
        TRY(recent_messages_note(tx, &content->entry, member, has_only_text(content)));
        TRY(content->named.n > 0 ? chat_mentions_put(tx, &content->entry, &content->named) : SN_OK);
        return content->entry.text[0] != '\0' ? search_put(tx, &content->entry, content->entry.text) : SN_OK;
}

/* *mine is false if a message with this client id was sent before, perhaps concurrently. */
static sn_status store_message(struct db_tx *tx, const Messaging__SendMessageRequest *in, struct content *content,
                               bool *mine)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry place;

        TRY(membership_lock_sender(tx, in->id, in->client_id, &member));
        *mine = !member.sent;
        if (!*mine) {
                return SN_OK;
        }
        TRY(membership_check_writes(db_call(tx), &member));
        TRY(log_new(tx, &member, MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE, &place));
        content->entry.id = place.id;
        content->entry.chat_id = place.chat_id;
        content->entry.kind = place.kind;
        if (in->expires_in_s == 0) { /* the chat's may have changed since it was read */
                content->entry.expires_in_s = member.expires_in_s;
        }
        expire_announce(tx, content->entry.expires_in_s);
        return store_content(tx, &member, content);
}

/* Also for former members, since the message is their own. */
static sn_status answer_sent(struct rpc_call *c, const Messaging__SendMessageRequest *in, Messaging__Message *out,
                             bool *found)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(find_sent(c, in, &entry, found));
        if (!*found) {
                return SN_OK;
        }
        TRY(membership_read(c, in->id, &member));
        return show_message(c, &member, &entry, out);
}

/* A shared note is loaded for the answer, and present only if the sender may see it. */
static sn_status check_note(struct rpc_call *c, const Messaging__SendMessageRequest *in,
                            const Messaging__Message *shown)
{
        return in->note_id[0] != '\0' && shown->note == NULL
                   ? rpc_fail(c, SN_INVALID_ARGUMENT, "note_id", "there is no note with this id, or you may not see it")
                   : SN_OK;
}

static sn_status commit_message(struct rpc_call *c, const Messaging__SendMessageRequest *in, struct content *content,
                                Messaging__Message *out, bool *mine)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_message(tx, in, content, mine));
        if (!*mine) {
                return SN_OK;
        }
        show_stored(&content->entry, out);
        out->media = content->attachments.media;
        out->n_media = content->attachments.n;
        chat_mentions_fill(c, &content->named, out);
        return db_commit(c, NULL, &tx);
}

/* Nothing but text that names nobody: its transaction finds out all that is to be checked, except for blocks. */
static bool is_plain(const Messaging__SendMessageRequest *in)
{
        return in->forward == NULL && in->n_media_ids == 0 && in->note_id[0] == '\0' && in->reply_to_id[0] == '\0' &&
               strchr(in->text, '@') == NULL;
}

/* *sent: this client id was used before. Most messages are plain ones in a chat known to this process, and need no
 * query: whether the chat still exists and the sender may write to it is checked in their transaction. */
static sn_status check_may_send(struct rpc_call *c, const Messaging__SendMessageRequest *in, chat_member *member,
                                bool *sent)
{
        if (is_plain(in) && known_chats_find(c->arena, in->id, c->actor, member)) {
                if (people_check_not_blocked(c, member) == SN_OK) {
                        return SN_OK;
                }
                c->problem = (struct rpc_problem){0};
                messaging_rows__member__init(member);
        }
        TRY(membership_read_sender(c, in->id, in->client_id, member));
        *sent = member->sent;
        if (*sent) {
                return SN_OK;
        }
        known_chats_keep(member);
        return check_sender(c, member);
}

static sn_status send_new(struct rpc_call *c, const Messaging__SendMessageRequest *in, Messaging__Message *out,
                          bool *mine)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        struct content content = {0};
        bool sent = false;

        TRY(check_content(c, in));
        TRY(check_may_send(c, in, &member, &sent));
        if (sent) {
                return SN_OK;
        }
        TRY(fill_entry(c, in, &member, &content));
        TRY(show_message(c, &member, &content.entry, out)); /* calls other services, so before the transaction */
        TRY(check_note(c, in, out));
        return commit_message(c, in, &content, out, mine);
}

/* Whether the message may have been sent before: these statuses say only that it may not be sent now, or that its
 * client id was used concurrently in another chat. */
static bool may_have_been_sent(sn_status status)
{
        return status == SN_INVALID_ARGUMENT || status == SN_NOT_FOUND || status == SN_PERMISSION_DENIED ||
               status == SN_FAILED_PRECONDITION || status == SN_ALREADY_EXISTS;
}

/* Nearly all messages are new, so a message sent before is read only if its client id is known, or if it may not be
 * sent now (it may have been allowed then). */
sn_status messaging_handle_send_message(struct rpc_call *c, const Messaging__SendMessageRequest *in,
                                        Messaging__Message *out)
{
        bool mine = false, sent = false;
        sn_status status = send_new(c, in, out, &mine);
        struct rpc_problem refused = c->problem;

        if (status == SN_OK ? mine : !may_have_been_sent(status)) {
                return status;
        }
        messaging__message__init(out);
        c->problem = (struct rpc_problem){0};
        TRY(answer_sent(c, in, out, &sent));
        if (sent) {
                return SN_OK;
        }
        if (status == SN_OK) { /* erased meanwhile, with its sender */
                return membership_not_found(c);
        }
        c->problem = refused;
        return status;
}
