/* Owns permissions in a chat. */
#include "services/messaging/membership.h"

#include "services/messaging/store_chats.h"
#include "services/messaging/store_participants.h"

sn_status membership_not_found(struct rpc_call *c)
{
        return rpc_fail(c, SN_NOT_FOUND, "id", "there is no chat with this id, or you are not in it");
}

bool membership_is_present(const chat_member *member)
{
        return member->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN ||
               member->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_REQUEST;
}

static sn_status read_row(struct db_tx *tx, const char *chat_id, chat_member *member)
{
        bool found = false;

        TRY(chat_store_member(tx, chat_id, db_call(tx)->actor, member, &found));
        return found && member->state != 0 ? SN_OK : membership_not_found(db_call(tx));
}

sn_status membership_read(struct rpc_call *c, const char *chat_id, chat_member *member)
{
        return DB_READ(c, tx, read_row(tx, chat_id, member));
}

static sn_status check_present(struct rpc_call *c, const chat_member *member)
{
        return membership_is_present(member) ? SN_OK : membership_not_found(c);
}

sn_status membership_read_present(struct rpc_call *c, const char *chat_id, chat_member *member)
{
        TRY(membership_read(c, chat_id, member));
        return check_present(c, member);
}

sn_status membership_lock(struct db_tx *tx, const char *chat_id, chat_member *member)
{
        TRY(chat_store_lock_chat(tx, chat_id));
        /* A second statement in the same round trip, which sees what was committed while the first one waited for the
         * lock. */
        TRY(read_row(tx, chat_id, member));
        return check_present(db_call(tx), member);
}

static sn_status read_sender(struct db_tx *tx, const char *chat_id, const char *client_id, chat_member *member)
{
        bool found = false;

        TRY(chat_store_sender(tx, chat_id, db_call(tx)->actor, client_id, member, &found));
        return found && (member->sent || membership_is_present(member)) ? SN_OK : membership_not_found(db_call(tx));
}

sn_status membership_read_sender(struct rpc_call *c, const char *chat_id, const char *client_id, chat_member *member)
{
        return DB_READ(c, tx, read_sender(tx, chat_id, client_id, member));
}

sn_status membership_lock_sender(struct db_tx *tx, const char *chat_id, const char *client_id, chat_member *member)
{
        TRY(chat_store_lock_chat(tx, chat_id));
        return read_sender(tx, chat_id, client_id, member);
}

bool membership_sees(const chat_member *member, int64_t seq)
{
        return seq > 0 && membership_last_seen(member, seq) == seq;
}

int64_t membership_last_seen(const chat_member *member, int64_t seq)
{
        int64_t last = 0;

        for (size_t i = 0; i < member->n_visible_from && member->visible_from[i] <= seq; i++) {
                last = seq < member->visible_to[i] ? seq : member->visible_to[i] - 1;
        }
        return last < member->last_seq ? last : member->last_seq;
}

int64_t membership_next_seen(const chat_member *member, int64_t seq)
{
        for (size_t i = 0; i < member->n_visible_from; i++) {
                if (seq < member->visible_to[i]) {
                        return seq > member->visible_from[i] ? seq : member->visible_from[i];
                }
        }
        return INT64_MAX;
}

int64_t membership_count(const chat_member *member, int64_t after_seq)
{
        int64_t count = 0;

        for (size_t i = 0; i < member->n_visible_from; i++) {
                int64_t from = member->visible_from[i] > after_seq ? member->visible_from[i] : after_seq + 1;
                int64_t end = member->visible_to[i] <= member->last_seq ? member->visible_to[i] : member->last_seq + 1;

                count += end > from ? end - from : 0;
        }
        return count;
}

struct stretch membership_stretch(const chat_member *member, int64_t seq)
{
        for (size_t i = 0; i < member->n_visible_from; i++) {
                if (seq >= member->visible_from[i] && seq < member->visible_to[i]) {
                        return (struct stretch){member->visible_from[i], member->visible_to[i]};
                }
        }
        return (struct stretch){seq, seq};
}

int64_t membership_unread(const chat_member *member)
{
        return membership_is_present(member) ? member->last_n - member->read_n : 0;
}

sn_status membership_check_administers(struct rpc_call *c, const chat_member *member, const char *verb)
{
        bool administers =
            member->role == MESSAGING__ROLE__ROLE_OWNER || member->role == MESSAGING__ROLE__ROLE_ADMINISTRATOR;

        return administers && member->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN
                   ? SN_OK
                   : rpc_fail(c, SN_PERMISSION_DENIED, NULL, "only the owner and administrators of this chat can %s",
                              verb);
}

sn_status membership_check_takes_part(struct rpc_call *c, const chat_member *member)
{
        return member->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN
                   ? SN_OK
                   : rpc_fail(c, SN_FAILED_PRECONDITION, "id", "you have not accepted this chat yet");
}

sn_status membership_check_writes(struct rpc_call *c, const chat_member *member)
{
        TRY(membership_check_takes_part(c, member));
        return member->role != MESSAGING__ROLE__ROLE_READER
                   ? SN_OK
                   : rpc_fail(c, SN_PERMISSION_DENIED, NULL, "readers of a chat cannot write to it");
}
