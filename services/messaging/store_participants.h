/* The SQL on the members of a chat, and how far they have read. */
#ifndef SERVICES_MESSAGING_STORE_PARTICIPANTS_H
#define SERVICES_MESSAGING_STORE_PARTICIPANTS_H

#include "db/db.h"
#include "services/messaging/messaging.h"
#include "services/page.h"

struct new_participant {
        const char *user_id;
        int role, state;
        int64_t from_seq; /* the first entry that they may read */
        int64_t seq, n;   /* of the entry by which they joined: it counts as read */
};

/* Adds a new or returning member: what they could read before stays readable. Counts them in the chat when they were
 * not in it. */
SN_CHECKED sn_status chat_store_put_participant(struct db_tx *tx, const char *chat_id, const struct new_participant *p);
/* Ends a membership with the entry of this number, the last that they may read; by: who did it. */
SN_CHECKED sn_status chat_store_end_participant(struct db_tx *tx, const char *chat_id, const char *user_id,
                                                const char *by, int64_t seq);
/* Who is in the chat, in the order in which they came, beyond the scan's position. */
SN_CHECKED sn_status chat_store_participants(struct db_tx *tx, const char *chat_id, const struct page_scan *scan,
                                             size_t *n, chat_member ***members);
/* Members who may read an entry, by id, after one. */
SN_CHECKED sn_status chat_store_readers(struct db_tx *tx, const char *chat_id, int64_t seq, const char *after,
                                        size_t limit, size_t *n, char ***ids);
/* Whom messages are for, by message and member, as the request says. */
SN_CHECKED sn_status chat_store_recipients(struct db_tx *tx, const Messaging__ListRecipientsRequest *in, size_t *n,
                                           MessagingRows__Recipient ***rows);
/* *raised: it was less before. */
SN_CHECKED sn_status chat_store_mark_read(struct db_tx *tx, const chat_member *member, int64_t seq, int64_t n,
                                          bool *raised);

/* What a member has set of a chat for themselves. */
enum own_setting { OWN_ARCHIVED, OWN_PINNED, OWN_MUTED, OWN_DRAFT, OWN_STATE };
SN_CHECKED sn_status chat_store_set(struct db_tx *tx, enum own_setting setting, const char *chat_id,
                                    const char *user_id, struct db_bind value);
/* They may no longer read anything up to now. */
SN_CHECKED sn_status chat_store_forget_past(struct db_tx *tx, const chat_member *member);
/* Declines a direct chat: the other member does not notice it, by the member count or the list of members either. */
SN_CHECKED sn_status chat_store_decline(struct db_tx *tx, const chat_member *member);
/* Undoes declining: they read what is written from now on. */
SN_CHECKED sn_status chat_store_come_back(struct db_tx *tx, const chat_member *member);
SN_CHECKED sn_status chat_store_set_role(struct db_tx *tx, const char *chat_id, const char *user_id, int role);
/* Who becomes owner after the owner has left: of those with the highest role the one who joined first; "" when
 * nobody is left. */
SN_CHECKED sn_status chat_store_heir(struct db_tx *tx, const char *chat_id, char **id);
/* Whether a member who is in it is its owner. */
SN_CHECKED sn_status chat_store_has_owner(struct db_tx *tx, const char *chat_id, bool *has);

#endif
