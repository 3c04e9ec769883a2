/* Owns deleting messages for all. */
#include "services/messaging/deletion.h"

#include "services/messaging/attachments.h"
#include "services/messaging/log.h"
#include "services/messaging/store_changes.h"

sn_status deletion_for_all(struct db_tx *tx, chat_member *chat, const chat_entry *message)
{
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;

        TRY(log_add(tx, chat, MESSAGING__CHANGE_KIND__CHANGE_KIND_DELETED, message->id, "", &entry));
        TRY(attachments_end(tx, message->id));
        return chat_store_erase_message(tx, message);
}
