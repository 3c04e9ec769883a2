/* A member's role in a chat, and which part of its log they may read: the one place that decides it. */
#ifndef SERVICES_MESSAGING_MEMBERSHIP_H
#define SERVICES_MESSAGING_MEMBERSHIP_H

#include "db/db.h"
#include "services/messaging/messaging.h"

/* The actor's membership, also one that has ended; SN_NOT_FOUND on `id` when they never were in the chat. */
SN_CHECKED sn_status membership_read(struct rpc_call *c, const char *chat_id, chat_member *member);
/* The same for members and invited ones only; a former member sees nothing that may have changed since. */
SN_CHECKED sn_status membership_read_present(struct rpc_call *c, const char *chat_id, chat_member *member);
/* Locks the chat's row, so that entries are numbered one after the other. Then the same as membership_read_present.
 * */
SN_CHECKED sn_status membership_lock(struct db_tx *tx, const char *chat_id, chat_member *member);
/* For who sends under a client id, and with whether they have used it (member->sent): then they may have left the chat.
 * Once it is locked nobody uses it in this chat at the same time. */
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
/* How many entries behind a number they may read. */
int64_t membership_count(const chat_member *member, int64_t after_seq);
/* The smallest at or above, or INT64_MAX. */
int64_t membership_next_seen(const chat_member *member, int64_t seq);
/* The contiguous stretch that they may read around a number that they may read. */
struct stretch {
        int64_t from, to; /* the first, and the one behind the last */
};
struct stretch membership_stretch(const chat_member *member, int64_t seq);
/* How many messages they have not read. */
int64_t membership_unread(const chat_member *member);

/* SN_FAILED_PRECONDITION unless they have accepted the chat. */
SN_CHECKED sn_status membership_check_takes_part(struct rpc_call *c, const chat_member *member);
/* The same, and SN_PERMISSION_DENIED for readers. */
SN_CHECKED sn_status membership_check_writes(struct rpc_call *c, const chat_member *member);
/* Owners and administrators. SN_PERMISSION_DENIED for others: "only … can <verb>". */
SN_CHECKED sn_status membership_check_administers(struct rpc_call *c, const chat_member *member, const char *verb);

#endif
