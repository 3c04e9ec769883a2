/* A member's role in a chat, and which part of its log they may read. The only place that decides this. */
#ifndef SERVICES_MESSAGING_MEMBERSHIP_H
#define SERVICES_MESSAGING_MEMBERSHIP_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* The actor's membership, even if it has ended. SN_NOT_FOUND on `id` if the actor was never in the chat. */
SN_CHECKED sn_status membership_read(struct rpc_call *c, const char *chat_id, chat_member *member);
/* The same for present and invited members only, since former members must not see later changes. */
SN_CHECKED sn_status membership_read_present(struct rpc_call *c, const char *chat_id, chat_member *member);
/* Locks the chat's row, which serializes the numbering of entries. Then like membership_read_present. */
SN_CHECKED sn_status membership_lock(struct db_tx *tx, const char *chat_id, chat_member *member);
/* For a sender with a client id. Sets member->sent if the sender has already used it, in which case they may have left
 * the chat. While the chat is locked, nobody can use it in this chat concurrently. */
SN_CHECKED sn_status membership_read_sender(struct rpc_call *c, const char *chat_id, const char *client_id,
                                            chat_member *member);
SN_CHECKED sn_status membership_lock_sender(struct db_tx *tx, const char *chat_id, const char *client_id,
                                            chat_member *member);
SN_CHECKED sn_status membership_not_found(struct rpc_call *c);

bool membership_is_present(const chat_member *member);
/* Whether they may read the entry with this number. */
bool membership_sees(const chat_member *member, int64_t seq);
/* The largest number at or below this one that they may read, or 0. */
int64_t membership_last_seen(const chat_member *member, int64_t seq);
/* How many messages after a number they may read. */
int64_t membership_count(const chat_member *member, int64_t after_seq);
/* The smallest number at or above this one that they may read, or INT64_MAX. */
int64_t membership_next_seen(const chat_member *member, int64_t seq);
/* The contiguous readable range around a readable number. */
struct stretch {
        int64_t from, to; /* half-open: to is after the last */
};
struct stretch membership_stretch(const chat_member *member, int64_t seq);
/* How many messages they have not read. */
int64_t membership_unread(const chat_member *member);

/* SN_FAILED_PRECONDITION unless they have accepted the chat. */
SN_CHECKED sn_status membership_check_takes_part(struct rpc_call *c, const chat_member *member);
/* The same, and SN_PERMISSION_DENIED for readers of a channel. */
SN_CHECKED sn_status membership_check_writes(struct rpc_call *c, const chat_member *member);
/* Owners and administrators. SN_PERMISSION_DENIED for others: "only … can <verb>". */
SN_CHECKED sn_status membership_check_administers(struct rpc_call *c, const chat_member *member, const char *verb);

#endif
