/* Owns reading logs by number. */
#include "services/messaging/read_log.h"

#include "services/messaging/membership.h"
#include "services/messaging/show.h"
#include "services/messaging/store_log.h"

static sn_status load_entries(struct db_tx *tx, const struct log_range *ranges, size_t n, size_t *n_entries,
                              chat_entry ***entries)
{
        char **chats = ARENA_ARRAY(db_arena(tx), char *, n);
        int64_t *from = ARENA_ARRAY(db_arena(tx), int64_t, n), *to = ARENA_ARRAY(db_arena(tx), int64_t, n);

        for (size_t i = 0; i < n; i++) {
                chats[i] = ranges[i].member->chat_id;
                from[i] = ranges[i].from;
                to[i] = ranges[i].to;
        }
        return chat_store_ranges(tx, chats, from, to, n, n_entries, entries);
}

/* Loads the messages that entries change, as far as the member may read them. */
static sn_status load_changed(struct db_tx *tx, struct shown *items, size_t n)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);
        chat_entry **entries = NULL;
        size_t n_ids = 0, n_entries = 0;

        for (size_t i = 0; i < n; i++) {
                if (items[i].entry->target_id[0] != '\0') {
                        ids[n_ids++] = items[i].entry->target_id;
                }
        }
        TRY(n_ids > 0 ? chat_store_entries(tx, ids, n_ids, &n_entries, &entries) : SN_OK);
        for (size_t i = 0, at = 0; i < n && at < n_entries; i++) {
                if (uuid_equal(items[i].entry->target_id, entries[at]->id)) {
                        items[i].of = membership_sees(items[i].member, entries[at]->seq) ? entries[at] : NULL;
                        at++;
                }
        }
        return SN_OK;
}

static sn_status load_range(struct db_tx *tx, struct log_range *ranges, size_t n, struct shown **items, size_t *n_items)
{
        chat_entry **entries = NULL;
        size_t n_entries = 0;

        TRY(load_entries(tx, ranges, n, &n_entries, &entries));
        *items = ARENA_ARRAY(db_arena(tx), struct shown, n_entries);
        for (size_t i = 0, at = 0; i < n_entries; i++) {
                while (at + 1 < n && !uuid_equal(ranges[at].member->chat_id, entries[i]->chat_id)) {
                        at++;
                }
                if (membership_sees(ranges[at].member, entries[i]->seq)) {
                        (*items)[(*n_items)++] = (struct shown){
                            .entry = entries[i], .viewer = db_call(tx)->actor, .member = ranges[at].member};
                        ranges[at].n++;
                }
        }
        return load_changed(tx, *items, *n_items);
}

sn_status read_log(struct rpc_call *c, struct log_range *ranges, size_t n)
{
        struct shown *items = NULL;
        size_t n_items = 0;

        if (n == 0) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, load_range(tx, ranges, n, &items, &n_items)));
        Messaging__Change **changes = ARENA_ARRAY(c->arena, Messaging__Change *, n_items);

        TRY(show_changes(c, items, n_items, changes));
        for (size_t i = 0; i < n; i++) {
                ranges[i].changes = changes;
                changes += ranges[i].n;
        }
        return SN_OK;
}

/* Starts at the first readable number, so that no page is empty. */
sn_status messaging_handle_list_changes(struct rpc_call *c, const Messaging__ListChangesRequest *in,
                                        Messaging__ChangeList *out)
{
        chat_member member = MESSAGING_ROWS__MEMBER__INIT;
        int64_t limit = in->limit != 0 ? in->limit : 20;
        struct log_range range = {.member = &member};

        TRY(membership_read(c, in->id, &member));
        out->last_seq = membership_last_seen(&member, member.last_seq);
        if (in->after_seq > out->last_seq) {
                return rpc_fail(c, SN_OUT_OF_RANGE, "after_seq", "this chat has no entry with this number yet");
        }
        out->count = membership_count(&member, in->after_seq);
        if (in->after_seq < out->last_seq) {
                range.from = membership_next_seen(&member, in->after_seq + 1);
                range.to = membership_last_seen(&member, range.from + limit - 1);
                TRY(read_log(c, &range, 1));
                out->more = range.to < out->last_seq;
        }
        out->items = range.changes;
        out->n_items = range.n;
        return SN_OK;
}
