/* Owns reading messages: pages of a chat, and single messages by id. Messages are counted, so that a page is a range of
 * numbers and costs the same however long the chat is. */
#include "services/messaging/messages.h"

#include <string.h>
#include "services/messaging/membership.h"
#include "services/messaging/show.h"
#include "services/messaging/store_changes.h"
#include "services/messaging/store_log.h"

/* The most messages that are read per round to fill a page. */
#define ROUND_MAX INT64_C(1000)

struct reading {
        const chat_member *member;
        size_t limit;
        chat_entry **entries; /* in order */
        size_t n;
        bool more_before, more_after;
};

/* Counts the messages up to an entry's number. */
static sn_status count_up_to(struct db_tx *tx, const chat_member *member, int64_t seq, int64_t *n)
{
        chat_entry at = MESSAGING_ROWS__ENTRY__INIT;

        *n = seq == member->last_seq ? member->last_n : 0;
        if (seq == member->last_seq || seq < 1) {
                return SN_OK;
        }
        TRY(chat_store_entry_at(tx, member->chat_id, seq, &at, NULL));
        *n = at.n;
        return SN_OK;
}

/* Reads a range of messages by count, without those outside the readable range (*ended: there were some) and those that
 * the member has deleted for themselves. */
static sn_status read_range(struct db_tx *tx, const chat_member *member, int64_t from_n, int64_t to_n,
                            const struct stretch *within, size_t *n, chat_entry ***entries, bool *ended)
{
        size_t n_all = 0;

        *n = 0;
        TRY(chat_store_messages(tx, member->chat_id, from_n < 1 ? 1 : from_n, to_n, &n_all, entries));
        for (size_t i = 0; i < n_all; i++) {
                if ((*entries)[i]->seq >= within->from && (*entries)[i]->seq < within->to) {
                        (*entries)[(*n)++] = (*entries)[i];
                }
        }
        *ended = *n < n_all;
        return *n > 0 ? chat_store_drop_hidden(tx, *entries, n) : SN_OK;
}

/* Inserts entries at an index. */
static void insert_entries(struct reading *r, size_t at, chat_entry *const *entries, size_t n)
{
        if (n > 0) {
                memmove(r->entries + at + n, r->entries + at, (r->n - at) * sizeof(*entries));
                memcpy(r->entries + at, entries, n * sizeof(*entries));
                r->n += n;
        }
}

/* Each round reads more, in case many messages are hidden. */
static int64_t next_size(int64_t size)
{
        return size * 2 < ROUND_MAX ? size * 2 : ROUND_MAX;
}

/* Reads down from the top_n-th message of the chat. Reads one more than fits, to know whether there are more. */
static sn_status read_stretch_down(struct db_tx *tx, struct reading *r, int64_t top_n, const struct stretch *within,
                                   size_t wanted)
{
        int64_t size = (int64_t)(wanted - r->n) + 1;

        for (bool ended = false; top_n > 0 && !ended && !r->more_before; size = next_size(size)) {
                chat_entry **entries = NULL;
                size_t n = 0, room = wanted - r->n;

                TRY(read_range(tx, r->member, top_n - size + 1, top_n, within, &n, &entries, &ended));
                r->more_before = n > room;
                insert_entries(r, 0, r->more_before ? entries + n - room : entries, r->more_before ? room : n);
                top_n -= size;
        }
        return SN_OK;
}

static sn_status read_stretch_up(struct db_tx *tx, struct reading *r, int64_t from_n, const struct stretch *within,
                                 size_t wanted)
{
        int64_t size = (int64_t)(wanted - r->n) + 1;

        for (bool ended = false; from_n <= r->member->last_n && !ended && !r->more_after; size = next_size(size)) {
                chat_entry **entries = NULL;
                size_t n = 0, room = wanted - r->n;

                TRY(read_range(tx, r->member, from_n, from_n + size - 1, within, &n, &entries, &ended));
                r->more_after = n > room;
                insert_entries(r, r->n, entries, r->more_after ? room : n);
                from_n += size;
        }
        return SN_OK;
}

/* Reads up to `wanted` messages at or below a number, one readable range after the other, until the page is full. */
static sn_status read_down(struct db_tx *tx, struct reading *r, int64_t seq, size_t wanted)
{
        for (int64_t top = membership_last_seen(r->member, seq); top > 0 && !r->more_before;) {
                struct stretch within = membership_stretch(r->member, top);
                int64_t top_n = 0;

                TRY(count_up_to(tx, r->member, top, &top_n));
                TRY(read_stretch_down(tx, r, top_n, &within, wanted));
                top = membership_last_seen(r->member, within.from - 1);
        }
        return SN_OK;
}

static sn_status read_up(struct db_tx *tx, struct reading *r, int64_t seq, size_t wanted)
{
        for (int64_t bottom = membership_next_seen(r->member, seq); bottom <= r->member->last_seq && !r->more_after;) {
                struct stretch within = membership_stretch(r->member, bottom);
                int64_t below_n = 0;

                TRY(count_up_to(tx, r->member, bottom - 1, &below_n));
                TRY(read_stretch_up(tx, r, below_n + 1, &within, wanted));
                bottom = membership_next_seen(r->member, within.to);
        }
        return SN_OK;
}

static sn_status read_positions(struct db_tx *tx, const Messaging__ListMessagesRequest *in, struct reading *r)
{
        switch (in->position_case) {
        case MESSAGING__LIST_MESSAGES_REQUEST__POSITION_AFTER_SEQ:
                r->more_before = membership_last_seen(r->member, in->after_seq) > 0;
                return read_up(tx, r, in->after_seq + 1, r->limit);
        case MESSAGING__LIST_MESSAGES_REQUEST__POSITION_BEFORE_SEQ:
                r->more_after = membership_next_seen(r->member, in->before_seq) <= r->member->last_seq;
                return read_down(tx, r, in->before_seq - 1, r->limit);
        case MESSAGING__LIST_MESSAGES_REQUEST__POSITION_AROUND_SEQ:
                TRY(read_down(tx, r, in->around_seq, r->limit / 2 + 1));
                return read_up(tx, r, in->around_seq + 1, r->limit);
        default:
                return read_down(tx, r, r->member->last_seq, r->limit);
        }
}

sn_status messaging_handle_list_messages(struct rpc_call *c, const Messaging__ListMessagesRequest *in,
                                         Messaging__MessageList *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        struct reading r = {.member = &member, .limit = page_limit(in->limit)};

        TRY(membership_read(c, in->id, &member));
        r.entries = ARENA_ARRAY(c->arena, chat_entry *, r.limit + 1);
        TRY(DB_READ(c, tx, read_positions(tx, in, &r)));
        TRY(show_own_view(c, &member, r.entries, r.n, &out->items));
        out->n_items = r.n;
        out->last_seq = membership_last_seen(&member, member.last_seq);
        out->more_before = r.more_before;
        out->more_after = r.more_after;
        return SN_OK;
}

sn_status messages_find_place(struct db_tx *tx, const chat_member *member, const char *id, chat_entry *message)
{
        bool found = false;

        messaging_rows__entry__init(message);
        TRY(chat_store_entry(tx, member->chat_id, id, message, &found));
        return found && message->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE &&
                       membership_sees(member, message->seq)
                   ? SN_OK
                   : rpc_fail(db_call(tx), SN_NOT_FOUND, "message_id", "there is no message with this id in the chat");
}

sn_status messages_check_kept(struct rpc_call *c, const chat_entry *message)
{
        return message->deleted ? rpc_fail(c, SN_NOT_FOUND, "message_id", "this message was deleted") : SN_OK;
}

sn_status messages_find(struct db_tx *tx, const chat_member *member, const char *id, chat_entry *message)
{
        TRY(messages_find_place(tx, member, id, message));
        return messages_check_kept(db_call(tx), message);
}

sn_status messages_find_shown(struct db_tx *tx, const chat_member *member, const char *id, chat_entry *message)
{
        size_t n = 1;

        TRY(messages_find_place(tx, member, id, message));
        TRY(chat_store_drop_hidden(tx, (chat_entry *[]){message}, &n));
        return n == 1 ? SN_OK
                      : rpc_fail(db_call(tx), SN_NOT_FOUND, "message_id", "you deleted this message for yourself");
}

sn_status messaging_handle_get_message(struct rpc_call *c, const Messaging__GetMessageRequest *in,
                                       Messaging__Message *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry entry;

        TRY(membership_read(c, in->id, &member));
        TRY(DB_READ(c, tx, messages_find_shown(tx, &member, in->message_id, &entry)));
        return show_message(c, &member, &entry, out);
}

/* ---- Threads and pins ---- */

static void keep_seen(const chat_member *member, chat_entry **entries, size_t *n)
{
        size_t kept = 0;

        for (size_t i = 0; i < *n; i++) {
                if (membership_sees(member, entries[i]->seq)) {
                        entries[kept++] = entries[i];
                }
        }
        *n = kept;
}

/* Reads more visible messages of a thread. *ended: there are no more up to the number `last`. */
static sn_status read_some_replies(struct db_tx *tx, struct reading *r, const chat_entry *message, int64_t *after_n,
                                   int64_t last, bool *ended)
{
        chat_entry **entries = NULL;
        size_t n = 0, room = r->limit - r->n;

        TRY(chat_store_replies(tx, message, *after_n, r->limit + 1, &n, &entries));
        *ended = n <= r->limit || entries[n - 1]->seq >= last;
        if (n == 0) {
                return SN_OK;
        }
        *after_n = entries[n - 1]->n;
        keep_seen(r->member, entries, &n);
        TRY(chat_store_drop_hidden(tx, entries, &n));
        r->more_after = n > room;
        insert_entries(r, r->n, entries, r->more_after ? room : n);
        return SN_OK;
}

/* What a former member sees does not depend on later messages. */
static sn_status read_thread(struct db_tx *tx, const Messaging__GetRepliesRequest *in, struct reading *r)
{
        int64_t last = membership_last_seen(r->member, r->member->last_seq), after_n = 0;
        chat_entry message;

        TRY(messages_find_place(tx, r->member, in->message_id, &message));
        if (in->after_seq > last) {
                return rpc_fail(db_call(tx), SN_OUT_OF_RANGE, "after_seq",
                                "this chat has no entry with this number yet");
        }
        TRY(count_up_to(tx, r->member, in->after_seq, &after_n));
        for (bool ended = false; !ended && !r->more_after;) {
                TRY(read_some_replies(tx, r, &message, &after_n, last, &ended));
        }
        return SN_OK;
}

sn_status messaging_handle_get_replies(struct rpc_call *c, const Messaging__GetRepliesRequest *in,
                                       Messaging__MessageList *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        struct reading r = {.member = &member, .limit = page_limit(in->limit)};

        TRY(membership_read(c, in->id, &member));
        r.entries = ARENA_ARRAY(c->arena, chat_entry *, r.limit);
        TRY(DB_READ(c, tx, read_thread(tx, in, &r)));
        out->n_items = r.n;
        out->last_seq = membership_last_seen(&member, member.last_seq);
        out->more_after = r.more_after;
        return show_own_view(c, &member, r.entries, r.n, &out->items);
}

static sn_status read_pins(struct db_tx *tx, const chat_member *member, size_t *n, chat_entry ***entries)
{
        char **ids = NULL;
        size_t n_ids = 0;

        TRY(chat_store_pins(tx, member->chat_id, &n_ids, &ids));
        TRY(chat_store_entries(tx, ids, n_ids, n, entries));
        keep_seen(member, *entries, n);
        return chat_store_drop_hidden(tx, *entries, n);
}

sn_status messaging_handle_list_pins(struct rpc_call *c, const Messaging__ListPinsRequest *in,
                                     Messaging__MessageList *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry **entries = NULL;

        TRY(membership_read_present(c, in->id, &member));
        TRY(DB_READ(c, tx, read_pins(tx, &member, &out->n_items, &entries)));
        out->last_seq = membership_last_seen(&member, member.last_seq);
        return show_own_view(c, &member, entries, out->n_items, &out->items);
}
