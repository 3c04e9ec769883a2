/* Erases expired messages. Readers do not see them from the moment of expiry, erased or not. */
#include "services/messaging/messaging.h"

#include "services/messaging/deletion.h"
#include "services/messaging/store_changes.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_log.h"

enum { MESSAGES_AT_ONCE = 50 };

/* The actor is NOBODY. If several processes try, the first one to lock the chat erases the message. */
static sn_status expire_message(struct db_tx *tx, const chat_entry *at)
{
        chat_member chat = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry message = MESSAGING_ROWS__ENTRY__INIT;
        bool erased = false;

        TRY(chat_store_lock_chat(tx, at->chat_id));
        TRY(chat_store_is_erased(tx, at->id, &erased));
        if (erased) {
                return SN_OK;
        }
        TRY(chat_store_member(tx, at->chat_id, NOBODY, &chat, NULL));
        TRY(chat_store_entry(tx, at->chat_id, at->id, &message, NULL));
        return deletion_for_all(tx, &chat, &message);
}

static sn_status expire_messages(struct rpc_call *c, bool *more)
{
        chat_entry **due = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, chat_store_expired(tx, MESSAGES_AT_ONCE, &n, &due)));
        for (size_t i = 0; i < n; i++) {
                TRY(DB_WRITE(c, tx, expire_message(tx, due[i])));
        }
        *more = n == MESSAGES_AT_ONCE;
        return SN_OK;
}

static sn_status next(struct rpc_call *c, int64_t *wait_ms)
{
        return DB_READ(c, tx, chat_store_next_expiry(tx, wait_ms));
}

const struct service_job messaging_expire = {
    .name = "expire_messages", .every_s = 30, .run = expire_messages, .next = next};

/* Wakes the job only if the message expires before the job would look again. */
void expire_announce(struct db_tx *tx, int64_t expires_in_s)
{
        if (expires_in_s > 0 && expires_in_s <= messaging_expire.every_s) {
                jobs_announce(tx, &messaging_expire);
        }
}
