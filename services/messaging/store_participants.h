/* The SQL of a chat's members, and how far they have read. */
#ifndef SERVICES_MESSAGING_STORE_PARTICIPANTS_H
#define SERVICES_MESSAGING_STORE_PARTICIPANTS_H

#include "db/db.h"
#include "services/messaging/messaging.h"
#include "services/page.h"

struct new_participant {
        const char *user_id;
        int role, state;
        int64_t from_seq; /* the first entry that they may read */
        int64_t seq, n;   /* of the entry about their joining, which counts as read */
};

/* Adds a new or returning member; what they could read before stays readable. Increments the chat's member count unless
 * they were present. */
SN_CHECKED sn_status chat_store_put_participant(struct db_tx *tx, const char *chat_id, const struct new_participant *p);
/* Ends a membership at the entry with this number, the last one that they may read. by: who ended it. */
SN_CHECKED sn_status chat_store_end_participant(struct db_tx *tx, const char *chat_id, const char *user_id,
                                                const char *by, int64_t seq);
/* The chat's members in order of joining, from the scan's position. */
SN_CHECKED sn_status chat_store_participants(struct db_tx *tx, const char *chat_id, const struct page_scan *scan,
                                             size_t *n, chat_member ***members);
/* Members who may read an entry, ordered by id, after a given one. */
SN_CHECKED sn_status chat_store_readers(struct db_tx *tx, const char *chat_id, int64_t seq, const char *after,
                                        size_t limit, size_t *n, char ***ids);
/* The first of them, queried with the transaction's next statement. */
SN_CHECKED sn_status chat_store_readers_later(struct db_tx *tx, const char *chat_id, int64_t seq, size_t limit,
                                              struct db_rows **rows);
/* The recipients of the messages in the request, ordered by message and member. */
SN_CHECKED sn_status chat_store_recipients(struct db_tx *tx, const Messaging__ListRecipientsRequest *in, size_t *n,
                                           MessagingRows__Recipient ***rows);
/* *raised: whether the mark was lower before. */
SN_CHECKED sn_status chat_store_mark_read(struct db_tx *tx, const chat_member *member, int64_t seq, int64_t n,
                                          bool *raised);

/* A member's own settings of a chat. */
enum own_setting { OWN_ARCHIVED, OWN_PINNED, OWN_MUTED, OWN_DRAFT, OWN_STATE };
SN_CHECKED sn_status chat_store_set(struct db_tx *tx, enum own_setting setting, const char *chat_id,
                                    const char *user_id, struct db_bind value);
/* Makes everything up to now unreadable to them. */
SN_CHECKED sn_status chat_store_forget_past(struct db_tx *tx, const chat_member *member);
/* Declines a direct chat. The other member cannot notice it, not even by the member count or list. */
SN_CHECKED sn_status chat_store_decline(struct db_tx *tx, const chat_member *member);
/* Reverts declining; new messages become readable. */
SN_CHECKED sn_status chat_store_come_back(struct db_tx *tx, const chat_member *member);
SN_CHECKED sn_status chat_store_set_role(struct db_tx *tx, const char *chat_id, const char *user_id, int role);
/* Who becomes the owner when the owner leaves: among those with the highest role the first to have joined; "" if nobody
 * is left. */
SN_CHECKED sn_status chat_store_heir(struct db_tx *tx, const char *chat_id, char **id);
/* Whether a present member is its owner. */
SN_CHECKED sn_status chat_store_has_owner(struct db_tx *tx, const char *chat_id, bool *has);

#endif
