/* The messages that this process committed last, with who may read them, so that routing and showing them to live
 * streams needs no query. Only a shortcut: for other messages the database is queried. */
#ifndef SERVICES_MESSAGING_RECENT_MESSAGES_H
#define SERVICES_MESSAGING_RECENT_MESSAGES_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define RECENT_MESSAGES    512
#define RECENT_CHATS       256       /* groups and channels whose readers are known */
#define RECENT_READERS_MAX GROUP_MAX /* of a message; those of larger channels are not kept */
#define RECENT_BYTES_MAX   4096      /* of a message; of larger ones only the readers are kept */
#define RECENT_SHOWN_MS    250       /* how long a message is shown from memory: other processes may change it */

struct recent_message {
        chat_entry *entry;
        int chat_kind;
        size_t n_readers;
        char **readers; /* ascending */
};

/* In the transaction that has appended the message, so the chat is locked: they are kept after its COMMIT. sender: the
 * chat as its sender has it. plain: the message has nothing that entry does not contain; only then it is shown. */
SN_CHECKED sn_status recent_messages_note(struct db_tx *tx, chat_entry *entry, const chat_member *sender, bool plain);
/* For a transaction that changes what some member sees of a message: it is not shown from memory after the COMMIT. */
void recent_messages_forget(struct db_tx *tx, const char *message_id);

/* False: they are not known. */
bool recent_messages_find_readers(struct arena *arena, const char *message_id, size_t *n, char ***ids);
/* False: it must be read from the database, as it is too old, has been changed, or has more than its text. */
bool recent_messages_find(struct arena *arena, const char *message_id, struct recent_message *out);
bool recent_message_is_read_by(const struct recent_message *message, const char *user_id);

/* ---- For tests: what note and forget do after the COMMIT ---- */

/* entry NULL: only the readers are kept. ids: ascending. */
void recent_messages_keep(const char *message_id, const chat_entry *entry, int chat_kind, char *const *ids, size_t n);
void recent_messages_drop(const char *message_id);

#endif
