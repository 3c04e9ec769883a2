/* Owns changing messages: edits, deletions, reactions and pins. Each change is an entry of the log. */
#include "services/messaging/messaging.h"

#include <string.h>
#include "base/text.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "services/messaging/chat_mentions.h"
#include "services/messaging/deletion.h"
#include "services/messaging/log.h"
#include "services/messaging/membership.h"
#include "services/messaging/messages.h"
#include "services/messaging/people.h"
#include "services/messaging/recent_messages.h"
#include "services/messaging/search_messages.h"
#include "services/messaging/show.h"
#include "services/messaging/store_changes.h"
#include "services/messaging/store_log.h"
#include "services/messaging/versions.h"

struct target {
        chat_member member;
        chat_entry message;
};

/* Checks that a change may reach the other member of a direct chat. Undoing one's own changes is always allowed. */
static sn_status check_reaches(struct rpc_call *c, const char *chat_id)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(membership_read_present(c, chat_id, &member));
        return people_check_not_blocked(c, &member);
}

/* Locks the chat and reads the message, for a member who has accepted the chat. */
static sn_status open_target(struct db_tx *tx, const char *chat_id, const char *message_id, struct target *t)
{
        messaging_rows__member__init(&t->member);
        TRY(membership_lock(tx, chat_id, &t->member));
        TRY(membership_check_takes_part(db_call(tx), &t->member));
        return messages_find(tx, &t->member, message_id, &t->message);
}

static sn_status add_change(struct db_tx *tx, struct target *t, int kind, const char *emoji)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        return log_add(tx, &t->member, kind, t->message.id, emoji, &entry);
}

/* ---- Edits ---- */

static sn_status check_edit(struct rpc_call *c, const Messaging__EditMessageRequest *in, const chat_entry *message)
{
        if (!uuid_equal(message->sender_id, c->actor)) {
                return rpc_fail(c, SN_PERMISSION_DENIED, "message_id", "only the sender of a message can edit it");
        }
        if (message->forwarded) {
                return rpc_fail(c, SN_FAILED_PRECONDITION, "message_id", "a forwarded message cannot be edited");
        }
        return text_is_blank(in->text) ? rpc_fail(c, SN_INVALID_ARGUMENT, "text", "must not be empty") : SN_OK;
}

static sn_status edit(struct db_tx *tx, const Messaging__EditMessageRequest *in, const struct named *named,
                      Messaging__Message *out)
{
        struct target t;
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        TRY(open_target(tx, in->id, in->message_id, &t));
        TRY(membership_check_writes(db_call(tx), &t.member));
        TRY(check_edit(db_call(tx), in, &t.message));
        TRY(log_add(tx, &t.member, MESSAGING__CHANGE_KIND__CHANGE_KIND_EDITED, in->message_id, "", &entry));
        TRY(chat_store_edit(tx, &t.message, &entry, in->text));
        TRY(search_put(tx, &t.message, in->text));
        TRY(chat_mentions_put(tx, &t.message, named));
        out->text = in->text;
        out->edited_at = entry.created_at;
        return SN_OK;
}

/* Setting the same text is not an edit. */
sn_status messaging_handle_edit_message(struct rpc_call *c, const Messaging__EditMessageRequest *in,
                                        Messaging__Message *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        struct named named = {0};
        struct target t;

        messaging_rows__member__init(&t.member);
        TRY(membership_read_present(c, in->id, &t.member));
        TRY(membership_check_writes(c, &t.member));
        TRY(people_check_not_blocked(c, &t.member));
        TRY(DB_READ(c, read, messages_find(read, &t.member, in->message_id, &t.message)));
        TRY(check_edit(c, in, &t.message));
        TRY(show_message(c, &t.member, &t.message, out));
        if (strcmp(in->text, out->text) == 0) {
                return SN_OK;
        }
        TRY(chat_mentions_find(c, in->id, in->text, &named));
        TRY(db_begin(c, &tx));
        TRY(edit(tx, in, &named, out));
        chat_mentions_fill(c, &named, out);
        return db_commit(c, NULL, &tx);
}

sn_status messaging_handle_get_message_history(struct rpc_call *c, const Messaging__GetMessageHistoryRequest *in,
                                               Messaging__History *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry entry, *message = &entry;
        Messaging__Version **before = NULL, *now = ARENA_NEW(c->arena, Messaging__Version);
        size_t n = 0;

        TRY(membership_read(c, in->id, &member));
        TRY(DB_READ(c, tx, messages_find_shown(tx, &member, in->message_id, &entry)));
        TRY(messages_check_kept(c, &entry));
        TRY(versions_choose(c, &(const chat_member *){&member}, &message, 1));
        TRY(DB_READ(c, tx, chat_store_versions(tx, in->message_id, &n, versions_end(&member), &before)));
        messaging__version__init(now);
        now->text = message->text;
        now->created_at = message->edited_at != NULL ? message->edited_at : message->created_at;
        out->items = ARENA_ARRAY(c->arena, Messaging__Version *, n + 1);
        for (size_t i = 0; i < n; i++) {
                out->items[i] = before[i];
        }
        out->items[n] = now;
        out->n_items = n + 1;
        return SN_OK;
}

/* ---- Deletions ---- */

static sn_status delete_for_all(struct db_tx *tx, const Messaging__DeleteMessageRequest *in)
{
        struct target t;

        TRY(open_target(tx, in->id, in->message_id, &t));
        if (!uuid_equal(t.message.sender_id, db_call(tx)->actor)) {
                TRY(membership_check_administers(db_call(tx), &t.member, "delete what others said"));
        }
        return deletion_for_all(tx, &t.member, &t.message);
}

/* Also allowed for messages that were deleted for all, and for former members. */
static sn_status delete_for_me(struct db_tx *tx, const chat_member *member, const Messaging__DeleteMessageRequest *in)
{
        chat_entry message;

        TRY(messages_find_place(tx, member, in->message_id, &message));
        TRY(chat_store_hide(tx, &message));
        recent_messages_forget(tx, message.id);
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_CHAT_TOUCHED,
                                                     .aggregate_id = member->chat_id,
                                                     .object_id = member->user_id});
}

sn_status messaging_handle_delete_message(struct rpc_call *c, const Messaging__DeleteMessageRequest *in,
                                          Google__Protobuf__Empty *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        if (in->for_ == MESSAGING__DELETE_FOR__DELETE_FOR_ALL) {
                return DB_WRITE(c, tx, delete_for_all(tx, in));
        }
        TRY(membership_read(c, in->id, &member));
        return DB_WRITE(c, tx, delete_for_me(tx, &member, in));
}

/* ---- Reactions ---- */

/* An emoji must be visible, on one line, and without ASCII letters and spaces. */
static sn_status check_emoji(struct rpc_call *c, const char *emoji)
{
        bool ok = strlen(emoji) <= 64 && !text_is_blank(emoji) && text_is_one_line(emoji);

        for (const char *p = emoji; ok && *p != '\0'; p++) {
                ok = !(*p == ' ' || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'));
        }
        return ok ? SN_OK : rpc_fail(c, SN_INVALID_ARGUMENT, "emoji", "must be one emoji");
}

static sn_status react(struct db_tx *tx, char *chat_id, char *message_id, char *emoji, bool on)
{
        struct target t;
        bool changed = false;

        TRY(open_target(tx, chat_id, message_id, &t));
        TRY(on ? chat_store_react(tx, message_id, emoji, &changed)
               : chat_store_unreact(tx, message_id, db_call(tx)->actor, emoji, &changed));
        return changed ? add_change(tx, &t,
                                    on ? MESSAGING__CHANGE_KIND__CHANGE_KIND_REACTED
                                       : MESSAGING__CHANGE_KIND__CHANGE_KIND_UNREACTED,
                                    emoji)
                       : SN_OK;
}

sn_status messaging_handle_react(struct rpc_call *c, const Messaging__ReactRequest *in, Google__Protobuf__Empty *out)
{
        TRY(check_emoji(c, in->emoji));
        TRY(check_reaches(c, in->id));
        return DB_WRITE(c, tx, react(tx, in->id, in->message_id, in->emoji, true));
}

sn_status messaging_handle_unreact(struct rpc_call *c, const Messaging__UnreactRequest *in,
                                   Google__Protobuf__Empty *out)
{
        TRY(check_emoji(c, in->emoji));
        return DB_WRITE(c, tx, react(tx, in->id, in->message_id, in->emoji, false));
}

/* ---- Pins ---- */

static sn_status pin(struct db_tx *tx, const char *chat_id, const char *message_id, bool on)
{
        struct target t;
        bool changed = false;

        TRY(open_target(tx, chat_id, message_id, &t));
        if (t.member.kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                TRY(membership_check_administers(db_call(tx), &t.member, "pin messages"));
        }
        TRY(on ? chat_store_pin(tx, &t.message, &changed) : chat_store_unpin(tx, &t.message, &changed));
        return changed ? add_change(tx, &t,
                                    on ? MESSAGING__CHANGE_KIND__CHANGE_KIND_PINNED
                                       : MESSAGING__CHANGE_KIND__CHANGE_KIND_UNPINNED,
                                    "")
                       : SN_OK;
}

sn_status messaging_handle_pin_message(struct rpc_call *c, const Messaging__PinMessageRequest *in,
                                       Google__Protobuf__Empty *out)
{
        TRY(check_reaches(c, in->id));
        return DB_WRITE(c, tx, pin(tx, in->id, in->message_id, true));
}

sn_status messaging_handle_unpin_message(struct rpc_call *c, const Messaging__UnpinMessageRequest *in,
                                         Google__Protobuf__Empty *out)
{
        TRY(check_reaches(c, in->id));
        return DB_WRITE(c, tx, pin(tx, in->id, in->message_id, false));
}
