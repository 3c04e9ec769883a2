/* The SQL of changing messages. */
#ifndef SERVICES_MESSAGING_STORE_CHANGES_H
#define SERVICES_MESSAGING_STORE_CHANGES_H

#include "db/db.h"
#include "services/messaging/messaging.h"

#define REACTIONS_MAX 20  /* different emojis per message */
#define REACTINGS_MAX 100 /* of one member to a message, including removed ones */
#define PINS_MAX      100
#define VERSIONS_MAX  100

/* Keeps the previous text under the number of the edit, whose entry is in the log. */
SN_CHECKED sn_status chat_store_edit(struct db_tx *tx, const chat_entry *message, const chat_entry *edit,
                                     const char *text);
/* Deletes its text, edits, reactions and pin, leaving only its position in the log. */
SN_CHECKED sn_status chat_store_erase_message(struct db_tx *tx, const chat_entry *message);
SN_CHECKED sn_status chat_store_is_erased(struct db_tx *tx, const char *message_id, bool *erased);
/* The versions that were replaced by edits up to the number `end`: the newest VERSIONS_MAX, oldest first. */
SN_CHECKED sn_status chat_store_versions(struct db_tx *tx, const char *message_id, size_t *n, int64_t end,
                                         Messaging__Version ***versions);
/* The text of ids[i] as of the entry with the number seqs[i], in rows with place i. No row if it was not edited since.
 */
SN_CHECKED sn_status chat_store_versions_at(struct db_tx *tx, char *const *ids, const int64_t *seqs, size_t n,
                                            size_t *n_versions, MessagingRows__OldVersion ***versions);
/* The actor deletes a message for themselves. */
SN_CHECKED sn_status chat_store_hide(struct db_tx *tx, const chat_entry *message);
/* hidden[i]: viewers[i] has deleted the message ids[i] for themselves. */
SN_CHECKED sn_status chat_store_hidden(struct db_tx *tx, char *const *ids, char *const *viewers, size_t n,
                                       bool **hidden);
/* Removes entries that the actor has deleted for themselves. */
SN_CHECKED sn_status chat_store_drop_hidden(struct db_tx *tx, chat_entry **entries, size_t *n);

/* *changed: whether it is new. SN_FAILED_PRECONDITION if the message would exceed REACTIONS_MAX, or the actor has
 * reacted to it REACTINGS_MAX times. */
SN_CHECKED sn_status chat_store_react(struct db_tx *tx, const char *message_id, const char *emoji, bool *changed);
SN_CHECKED sn_status chat_store_unreact(struct db_tx *tx, const char *message_id, const char *user_id,
                                        const char *emoji, bool *changed);
/* The reactions to ids[i] as seen by viewers[i], in rows with place i; most frequent first. */
SN_CHECKED sn_status chat_store_reactions(struct db_tx *tx, char *const *ids, char *const *viewers, size_t n,
                                          size_t *n_reactions, MessagingRows__Reaction ***reactions);

SN_CHECKED sn_status chat_store_pin(struct db_tx *tx, const chat_entry *message, bool *changed);
SN_CHECKED sn_status chat_store_unpin(struct db_tx *tx, const chat_entry *message, bool *changed);
/* The ids of pinned messages, in order. */
SN_CHECKED sn_status chat_store_pins(struct db_tx *tx, const char *chat_id, size_t *n, char ***ids);

#endif
