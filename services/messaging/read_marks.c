/* Owns read marks: how far a member has read a chat. */
#include "services/messaging/messaging.h"

#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/store_log.h"
#include "services/messaging/store_participants.h"
#include "services/messaging/store_receipts.h"

/* The mark must not be beyond the end of the log, nor at an entry that the member may not read. */
static sn_status find_mark(struct db_tx *tx, const chat_member *member, int64_t seq, chat_entry *at)
{
        if (seq > member->last_seq) {
                return rpc_fail(db_call(tx), SN_OUT_OF_RANGE, "seq",
                                "must not be beyond %lld, the newest entry of this chat", (long long)member->last_seq);
        }
        if (!membership_sees(member, seq)) {
                return rpc_fail(db_call(tx), SN_INVALID_ARGUMENT, "seq", "you may not read this entry");
        }
        return chat_store_entry_at(tx, member->chat_id, seq, at, NULL);
}

/* Others see it if the reader's settings allow; the reader's own devices always do. */
static sn_status emit_read(struct db_tx *tx, const chat_member *member, int64_t seq, bool others)
{
        if (others) {
                TRY(receipt_store_put_read(tx, member, seq));
        }
        return outbox_put(tx, &(struct outbox_event){.type = EVENT_CHAT_READ,
                                                     .aggregate_id = member->chat_id,
                                                     .object_id = member->user_id,
                                                     .version = seq});
}

/* Not disclosed before the reader has accepted the chat, since a request must not reveal that it was seen, nor across a
 * block. */
static sn_status ask_whether_told(struct rpc_call *c, const chat_member *member, bool *told)
{
        User__PrivacySettings **privacy = NULL;
        bool blocked = false;

        TRY(people_privacy(c, &member->user_id, 1, &privacy));
        TRY(people_is_blocked(c, member, &blocked));
        *told = privacy[0]->read_receipts && !blocked && member->state == MESSAGING_ROWS__MEMBER_STATE__MEMBER_STATE_IN;
        return SN_OK;
}

sn_status messaging_handle_mark_read(struct rpc_call *c, const Messaging__MarkReadRequest *in, Messaging__ReadMark *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry at = MESSAGING_ROWS__ENTRY__INIT;
        bool raised = false, told = false;

        TRY(membership_read_present(c, in->id, &member));
        TRY(ask_whether_told(c, &member, &told));
        TRY(db_begin(c, &tx));
        TRY(find_mark(tx, &member, in->seq, &at));
        TRY(chat_store_mark_read(tx, &member, at.seq, at.n, &raised));
        if (raised) {
                member.read_seq = at.seq;
                member.read_n = at.n;
                TRY(emit_read(tx, &member, at.seq, told));
        }
        out->chat_id = member.chat_id;
        out->user_id = member.user_id;
        out->seq = member.read_seq;
        out->own_case = MESSAGING__READ_MARK__OWN_UNREAD;
        out->unread = membership_unread(&member);
        return db_commit(c, NULL, &tx);
}
