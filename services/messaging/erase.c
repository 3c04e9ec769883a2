/* Erases deleted members. Their messages are deleted for all and their reactions removed, with log entries; then they
 * leave their chats, and their ids are removed from all logs. Messages are found by their client ids, which all
 * messages have. */
#include "services/messaging/messaging.h"

#include <stdio.h>
#include <string.h>
#include "services/messaging/chat_pictures.h"
#include "services/messaging/deletion.h"
#include "services/messaging/join.h"
#include "services/messaging/log.h"
#include "services/messaging/membership.h"
#include "services/messaging/store_changes.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_erase.h"
#include "services/messaging/store_log.h"
#include "services/user/user.rpc.h"

enum { ROWS_AT_ONCE = 50 };

static sn_status erase_message(struct db_tx *tx, const MessagingRows__SentAs *sent)
{
        chat_member chat = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry message = MESSAGING_ROWS__ENTRY__INIT;
        bool erased = false;

        TRY(chat_store_lock_chat(tx, sent->chat_id));
        TRY(chat_store_is_erased(tx, sent->message_id, &erased));
        if (erased) {
                return SN_OK;
        }
        TRY(chat_store_member(tx, sent->chat_id, NOBODY, &chat, NULL));
        TRY(chat_store_entry(tx, sent->chat_id, sent->message_id, &message, NULL));
        return deletion_for_all(tx, &chat, &message);
}

/* One chat at a time: locking several would block everyone who sends to any of them. */
static sn_status erase_messages(struct rpc_call *c, const char *id, bool *more)
{
        MessagingRows__SentAs **sent = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, chat_store_sent_by(tx, id, ROWS_AT_ONCE, &n, &sent)));
        for (size_t i = 0; i < n; i++) {
                TRY(DB_WRITE(c, tx, erase_message(tx, sent[i])));
        }
        if (n > 0) {
                TRY(DB_WRITE(c, tx, chat_store_forget_sent(tx, id, sent, n)));
        }
        *more = n > 0;
        return SN_OK;
}

static sn_status take_reaction_back(struct db_tx *tx, const char *user_id, MessagingRows__Reacted *of)
{
        chat_member chat = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;
        bool changed = false;

        TRY(chat_store_lock_chat(tx, of->chat_id));
        TRY(chat_store_unreact(tx, of->message_id, user_id, of->emoji, &changed));
        if (!changed) {
                return SN_OK;
        }
        TRY(chat_store_member(tx, of->chat_id, NOBODY, &chat, NULL));
        return log_add(tx, &chat, MESSAGING__CHANGE_KIND__CHANGE_KIND_UNREACTED, of->message_id, of->emoji, &entry);
}

static sn_status erase_reactions(struct rpc_call *c, const char *id, bool *more)
{
        MessagingRows__Reacted **reacted = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, chat_store_reacted(tx, id, ROWS_AT_ONCE, &n, &reacted)));
        for (size_t i = 0; i < n; i++) {
                TRY(DB_WRITE(c, tx, take_reaction_back(tx, id, reacted[i])));
        }
        *more = n > 0;
        return SN_OK;
}

static sn_status end_chat(struct db_tx *tx, const char *chat_id)
{
        TRY(chat_picture_put(tx, chat_id, &(struct chat_picture){0}));
        return chat_store_end_chat(tx, chat_id);
}

static sn_status leave_chat(struct db_tx *tx, const char *chat_id, const char *user_id)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;

        TRY(chat_store_lock_chat(tx, chat_id));
        TRY(chat_store_member(tx, chat_id, user_id, &member, NULL));
        if (membership_is_present(&member) && member.kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT) {
                TRY(join_end(tx, &member, user_id));
                TRY(member.members > 1 ? SN_OK : end_chat(tx, chat_id));
        }
        return chat_store_forget_member(tx, chat_id, user_id);
}

static sn_status leave_chats(struct rpc_call *c, const char *id, bool *more)
{
        char **chats = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, chat_store_chats_with(tx, id, ROWS_AT_ONCE, &n, &chats)));
        for (size_t i = 0; i < n; i++) {
                TRY(DB_WRITE(c, tx, leave_chat(tx, chats[i], id)));
        }
        *more = n > 0;
        return SN_OK;
}

static sn_status erase_rest(struct rpc_call *c, const char *id, bool *more)
{
        TRY(DB_WRITE(c, tx, chat_store_forget_in_logs(tx, id, ROWS_AT_ONCE, more)));
        return *more ? SN_OK : DB_WRITE(c, tx, chat_store_erase_rest(tx, id));
}

/* Erases one batch of one member. The cursor only records that there was a batch; a retry finds what is left. */
static sn_status erase_batch(struct rpc_call *c, struct bus_batch *batch)
{
        static sn_status (*const steps[])(struct rpc_call *, const char *, bool *) = {erase_messages, erase_reactions,
                                                                                      leave_chats, erase_rest};
        const char *id = batch->events[0]->aggregate_id;
        bool more = false;

        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !more; i++) {
                TRY(steps[i](c, id, &more));
        }
        batch->n_done = more ? 0 : 1;
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s", more ? uuid_new_in(c->arena) : "");
        return SN_OK;
}

static const char *const types[] = {"user.erased", NULL};

const struct bus_consumer messaging_erase = {
    .name = "erase",
    .source = "user",
    .read_outbox = &user_methods[USER_READ_OUTBOX],
    .types = types,
    .handle = erase_batch,
};
