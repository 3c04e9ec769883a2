/* Owns reading messages: pages of a chat by number, and one by its id. A page costs the same however long the chat is:
 * messages are counted, so that it is a range of numbers. */
#include "services/messaging/messaging.h"

#include <string.h>
#include "services/messaging/membership.h"
#include "services/messaging/show.h"
#include "services/messaging/store_log.h"

struct reading {
        const chat_member *member;
        size_t limit;
        chat_entry **entries; /* in order */
        size_t n;
        bool more_before, more_after;
};

/* How many messages there are up to a number. */
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

/* Messages of one stretch of membership. */
static sn_status read_stretch(struct db_tx *tx, const chat_member *member, int64_t from_n, int64_t to_n,
                              const struct stretch *within, size_t *n, chat_entry ***entries)
{
        size_t n_all = 0;

        *n = 0;
        if (to_n < from_n || to_n < 1) {
                return SN_OK;
        }
        TRY(chat_store_messages(tx, member->chat_id, from_n < 1 ? 1 : from_n, to_n, &n_all, entries));
        for (size_t i = 0; i < n_all; i++) {
                if ((*entries)[i]->seq >= within->from && (*entries)[i]->seq < within->to) {
                        (*entries)[(*n)++] = (*entries)[i];
                }
        }
        return SN_OK;
}

/* Between those that are there at the front, and those at the end. */
static void insert(struct reading *r, size_t at, chat_entry *const *entries, size_t n)
{
        if (n > 0) {
                memmove(r->entries + at + n, r->entries + at, (r->n - at) * sizeof(*entries));
                memcpy(r->entries + at, entries, n * sizeof(*entries));
                r->n += n;
        }
}

/* The `wanted` messages at or below a number: a round for each stretch of membership, until the page is full. One more
 * than there is room for tells that there are more. */
static sn_status read_down(struct db_tx *tx, struct reading *r, int64_t seq, size_t wanted)
{
        for (int64_t top = membership_last_seen(r->member, seq); top > 0;) {
                struct stretch within = membership_stretch(r->member, top);
                chat_entry **entries = NULL;
                size_t n = 0, room = wanted - r->n;
                int64_t top_n = 0;

                TRY(count_up_to(tx, r->member, top, &top_n));
                TRY(read_stretch(tx, r->member, top_n - (int64_t)room, top_n, &within, &n, &entries));
                r->more_before = n > room;
                if (r->more_before) {
                        insert(r, 0, entries + 1, room);
                        return SN_OK;
                }
                insert(r, 0, entries, n);
                top = membership_last_seen(r->member, within.from - 1);
        }
        return SN_OK;
}

static sn_status read_up(struct db_tx *tx, struct reading *r, int64_t seq, size_t wanted)
{
        for (int64_t bottom = membership_next_seen(r->member, seq); bottom <= r->member->last_seq;) {
                struct stretch within = membership_stretch(r->member, bottom);
                chat_entry **entries = NULL;
                size_t n = 0, room = wanted - r->n;
                int64_t below_n = 0;

                TRY(count_up_to(tx, r->member, bottom - 1, &below_n));
                TRY(read_stretch(tx, r->member, below_n + 1, below_n + 1 + (int64_t)room, &within, &n, &entries));
                r->more_after = n > room;
                insert(r, r->n, entries, r->more_after ? room : n);
                if (r->more_after) {
                        return SN_OK;
                }
                bottom = membership_next_seen(r->member, within.to);
        }
        return SN_OK;
}

static sn_status read_page(struct db_tx *tx, const Messaging__ListMessagesRequest *in, struct reading *r)
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
                return r->n < r->limit ? read_up(tx, r, in->around_seq + 1, r->limit) : SN_OK;
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
        TRY(DB_READ(c, tx, read_page(tx, in, &r)));
        TRY(show_own_view(c, r.entries, r.n, &out->items));
        out->n_items = r.n;
        out->last_seq = membership_last_seen(&member, member.last_seq);
        out->more_before = r.more_before;
        out->more_after = r.more_after;
        return SN_OK;
}

sn_status messaging_handle_get_message(struct rpc_call *c, const Messaging__GetMessageRequest *in,
                                       Messaging__Message *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        chat_entry entry = MESSAGING_ROWS__ENTRY__INIT;
        bool found = false;

        TRY(membership_read(c, in->id, &member));
        TRY(DB_READ(c, tx, chat_store_entry(tx, in->id, in->message_id, &entry, &found)));
        if (!found || entry.kind != MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE ||
            !membership_sees(&member, entry.seq)) {
                return rpc_fail(c, SN_NOT_FOUND, "message_id", "there is no message with this id in the chat");
        }
        return show_message(c, &entry, out);
}
