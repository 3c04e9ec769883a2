/* The SQL of chats and chat lists. */
#ifndef SERVICES_MESSAGING_STORE_CHATS_H
#define SERVICES_MESSAGING_STORE_CHATS_H

#include "db/db.h"
#include "services/messaging/messaging.h"
#include "services/page.h"

struct new_chat {
        const char *id, *title, *peer_id; /* peer_id: "" unless the chat is direct */
        int kind;
        bool history;
};

SN_CHECKED sn_status chat_store_insert_chat(struct db_tx *tx, const struct new_chat *chat);
/* The direct chat of two members, or "". */
SN_CHECKED sn_status chat_store_find_direct(struct db_tx *tx, const char *a, const char *b, char **id);
/* Locks the chat, if it exists, in the same round trip as the next statement of the transaction. */
SN_CHECKED sn_status chat_store_lock_chat(struct db_tx *tx, const char *id);
/* The chat with the member's membership. */
SN_CHECKED sn_status chat_store_member(struct db_tx *tx, const char *chat_id, const char *user_id, chat_member *member,
                                       bool *found);
/* The same, and whether the member has used a client id in any chat, and the other member reads what comes next. */
SN_CHECKED sn_status chat_store_sender(struct db_tx *tx, const char *chat_id, const char *user_id,
                                       const char *client_id, chat_member *member, bool *found);
/* members[i]: chat_ids[i] as user_ids[i] has it; those that do not exist are left out. */
SN_CHECKED sn_status chat_store_members(struct db_tx *tx, char *const *chat_ids, char *const *user_ids, size_t n,
                                        size_t *n_members, chat_member ***members);
/* The members of the chats who are among user_ids, ordered by chat and member; only what decides what they are shown.
 */
SN_CHECKED sn_status chat_store_viewers(struct db_tx *tx, char *const *chat_ids, size_t n_chats, char *const *user_ids,
                                        size_t n, size_t *n_members, chat_member ***members);
/* A member's chats by newest message, from the scan's position. */
SN_CHECKED sn_status chat_store_chats_of(struct db_tx *tx, const char *user_id, int state, bool archived,
                                         const struct page_scan *scan, size_t *n, MessagingRows__ChatRef ***refs);
/* Stores the fields given in the request. */
SN_CHECKED sn_status chat_store_update_chat(struct db_tx *tx, const Messaging__UpdateChatRequest *in);
/* media_id NULL: none. *before_use_id: that of the previous picture, or "". */
SN_CHECKED sn_status chat_store_set_picture(struct db_tx *tx, const char *id, const char *media_id, const char *use_id,
                                            char **before_use_id);
/* Deletes it for all: all memberships end. */
SN_CHECKED sn_status chat_store_end_chat(struct db_tx *tx, const char *id);

#endif
