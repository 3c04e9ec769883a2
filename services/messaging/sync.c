/* Owns synchronizing all chats of a member in few responses. A round goes through the chats by id and returns what has
 * changed since the previous round began. Changes during a round are part of the next one, some of them repeatedly. The
 * server keeps no state. */
#include "services/messaging/messaging.h"

#include <stdint.h>
#include <string.h>
#include "auth/cursor.h"
#include "services/messaging/membership.h"
#include "services/messaging/read_log.h"
#include "services/messaging/show_chats.h"
#include "services/messaging/store_chats.h"
#include "services/messaging/store_sync.h"

enum {
        CHANGES_MAX = 100, /* per chat; with more changes the client reloads the chat */
        ANSWER_MAX = 300   /* per response */
};

/* A client's position. */
struct place {
        int64_t since;         /* everything before this point has been sent; 0: nothing */
        int64_t began;         /* the point at which its round began; 0: a round begins now */
        char after[UUID_SIZE]; /* chats up to this one are done */
        uint64_t log;          /* the outbox's log that the points belong to */
};

/* A chat in the response. */
struct told {
        chat_member *member;
        int64_t last; /* the newest number that the member may read */
        bool joined, complete;
        int64_t first; /* entries first to last are in the response */
};

static sn_status read_place(struct rpc_call *c, const char *text, struct place *p)
{
        struct cursor cursor = {0};

        TRY(cursor_decode(c, "", "since", text, &cursor));
        p->since = cursor.at.sort_key;
        p->began = cursor.n_seen > 0 ? (int64_t)cursor.seen[0] : 0;
        p->log = cursor.began;
        memcpy(p->after, cursor.at.id, UUID_SIZE);
        return SN_OK;
}

static char *write_place(struct rpc_call *c, const struct place *p)
{
        struct cursor cursor = {.at.sort_key = p->since, .began = p->log, .n_seen = p->began != 0 ? 1 : 0};

        cursor.seen[0] = (uint64_t)p->began;
        memcpy(cursor.at.id, p->after, UUID_SIZE);
        return cursor_encode(c, "", &cursor);
}

/* A point of another log or in the future is invalid; the client starts over. */
static sn_status begin_round(struct db_tx *tx, struct place *p, bool *reset)
{
        int64_t now = 0;
        uint64_t log = 0;

        TRY(sync_store_now(tx, &now, &log));
        *reset = p->log != log || p->since > now || p->began > now;
        if (*reset) {
                *p = (struct place){.log = log};
        }
        if (p->began == 0) {
                p->began = now;
        }
        return SN_OK;
}

/* ---- Finding chats ---- */

/* Collects chats that have changed, up to a limit; *done: there are no more. */
static sn_status scan_chats(struct db_tx *tx, struct place *p, size_t limit, struct told *chats, char **ids, size_t *n,
                            bool *done)
{
        MessagingRows__Scanned **scanned = NULL;
        size_t n_scanned = 0, at = 0;

        TRY(sync_store_scan(tx, p->after, p->since, &n_scanned, &scanned));
        for (; at < n_scanned && *n < limit; at++) {
                if (scanned[at]->changed) {
                        chats[*n].joined = scanned[at]->joined;
                        ids[(*n)++] = scanned[at]->id;
                }
                memcpy(p->after, scanned[at]->id, UUID_SIZE);
        }
        *done = at == n_scanned && n_scanned < SCANNED_MAX;
        return SN_OK;
}

/* The first round leaves out chats that the member has left. */
static void keep_present(struct told *chats, size_t *n)
{
        size_t kept = 0;

        for (size_t i = 0; i < *n; i++) {
                if (membership_is_present(chats[i].member)) {
                        chats[kept++] = chats[i];
                }
        }
        *n = kept;
}

static sn_status load_members(struct db_tx *tx, const struct place *p, char **ids, struct told *chats, size_t *n)
{
        char **actors = ARENA_ARRAY(db_arena(tx), char *, *n);
        chat_member **members = NULL;
        size_t n_members = 0, kept = 0;

        for (size_t i = 0; i < *n; i++) {
                actors[i] = (char *)db_call(tx)->actor;
        }
        TRY(chat_store_members(tx, ids, actors, *n, &n_members, &members));
        for (size_t i = 0; i < *n && kept < n_members; i++) {
                if (uuid_equal(ids[i], members[kept]->chat_id)) {
                        chats[kept] = (struct told){.member = members[kept], .joined = chats[i].joined};
                        chats[kept].last = membership_last_seen(members[kept], members[kept]->last_seq);
                        kept++;
                }
        }
        *n = kept;
        if (p->since == 0) {
                keep_present(chats, n);
        }
        return SN_OK;
}

/* ---- Choosing entries ---- */

/* Entries from before the member joined are available on pages only. */
static void choose_entries(struct told *t, int64_t known, bool from_start)
{
        int64_t window = t->last > CHANGES_MAX ? t->last - CHANGES_MAX : 0;
        bool reached = known > 0 || window == 0;

        t->first = (known > 0 ? known : window) + 1;
        t->complete = t->last == 0 ||
                      (!from_start && reached && !(t->joined && membership_last_seen(t->member, t->first - 1) > 0));
        if (!t->complete) {
                t->first = t->last + 1;
        }
}

static sn_status choose_numbers(struct db_tx *tx, const struct place *p, struct told *chats, size_t n)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, n);
        int64_t *lasts = ARENA_ARRAY(db_arena(tx), int64_t, n), *known = ARENA_ARRAY(db_arena(tx), int64_t, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = chats[i].member->chat_id;
                lasts[i] = chats[i].last;
                known[i] = 0;
        }
        TRY(n > 0 && p->since > 0 ? sync_store_known(tx, ids, lasts, n, CHANGES_MAX, p->since, known) : SN_OK);
        for (size_t i = 0; i < n; i++) {
                choose_entries(&chats[i], known[i], p->since == 0);
        }
        return SN_OK;
}

/* Limits the response to as many chats as have at most ANSWER_MAX changes together. A single chat always fits. */
static void limit_response(struct told *chats, size_t *n, struct place *p, bool *done)
{
        int64_t total = 0;

        for (size_t i = 0; i < *n; i++) {
                total += chats[i].last - chats[i].first + 1;
                if (total > ANSWER_MAX) {
                        *n = i;
                        *done = false;
                        memcpy(p->after, chats[i - 1].member->chat_id, UUID_SIZE);
                }
        }
}

static sn_status find_chats(struct db_tx *tx, struct place *p, size_t limit, struct told *chats, size_t *n, bool *reset,
                            bool *done)
{
        char **ids = ARENA_ARRAY(db_arena(tx), char *, limit);

        TRY(begin_round(tx, p, reset));
        TRY(scan_chats(tx, p, limit, chats, ids, n, done));
        TRY(load_members(tx, p, ids, chats, n));
        TRY(choose_numbers(tx, p, chats, *n));
        limit_response(chats, n, p, done);
        return SN_OK;
}

/* ---- The response ---- */

static void add_readable(struct rpc_call *c, const chat_member *m, Messaging__SyncedChat *out)
{
        out->readable = ARENA_ARRAY(c->arena, Messaging__ReadableRange *, m->n_visible_from);
        for (size_t i = 0; i < m->n_visible_from; i++) {
                Messaging__ReadableRange *range = ARENA_NEW(c->arena, Messaging__ReadableRange);

                messaging__readable_range__init(range);
                range->from_seq = m->visible_from[i];
                range->to_seq = m->visible_to[i] == INT64_MAX ? 0 : m->visible_to[i] - 1;
                out->readable[out->n_readable++] = range;
        }
}

static void start_items(struct rpc_call *c, const struct told *chats, size_t n, Messaging__ChatSync *out)
{
        out->items = ARENA_ARRAY(c->arena, Messaging__SyncedChat *, n);
        for (size_t i = 0; i < n; i++) {
                Messaging__SyncedChat *item = ARENA_NEW(c->arena, Messaging__SyncedChat);

                messaging__synced_chat__init(item);
                item->chat_id = chats[i].member->chat_id;
                item->last_seq = chats[i].last;
                item->count = membership_count(chats[i].member, 0);
                item->complete = chats[i].complete;
                add_readable(c, chats[i].member, item);
                out->items[out->n_items++] = item;
        }
}

static sn_status add_chats(struct rpc_call *c, const struct told *chats, size_t n, Messaging__ChatSync *out)
{
        chat_member **members = ARENA_ARRAY(c->arena, chat_member *, n);
        Messaging__Chat **shown = ARENA_ARRAY(c->arena, Messaging__Chat *, n);
        size_t n_members = 0;

        for (size_t i = 0; i < n; i++) {
                if (membership_is_present(chats[i].member)) {
                        members[n_members++] = chats[i].member;
                }
        }
        TRY(n_members > 0 ? show_chats(c, members, n_members, shown) : SN_OK);
        for (size_t i = 0, at = 0; i < n && at < n_members; i++) {
                if (members[at] == chats[i].member) {
                        out->items[i]->chat = shown[at++];
                }
        }
        return SN_OK;
}

static sn_status add_changes(struct rpc_call *c, const struct told *chats, size_t n, Messaging__ChatSync *out)
{
        struct log_range *ranges = ARENA_ARRAY(c->arena, struct log_range, n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_ranges = 0;

        for (size_t i = 0; i < n; i++) {
                if (chats[i].first <= chats[i].last) {
                        places[n_ranges] = i;
                        ranges[n_ranges++] =
                            (struct log_range){.member = chats[i].member, .from = chats[i].first, .to = chats[i].last};
                }
        }
        TRY(read_log(c, ranges, n_ranges));
        for (size_t i = 0; i < n_ranges; i++) {
                out->items[places[i]]->changes = ranges[i].changes;
                out->items[places[i]]->n_changes = ranges[i].n;
        }
        return SN_OK;
}

static void add_hidden_id(struct rpc_call *c, Messaging__SyncedChat *item, char *id)
{
        if (item->hidden == NULL) {
                item->hidden = ARENA_ARRAY(c->arena, char *, HIDDEN_MAX);
        }
        if (item->n_hidden < HIDDEN_MAX) {
                item->hidden[item->n_hidden++] = id;
        } else {
                item->complete = false;
        }
}

/* Not in the first round, since pages leave out hidden messages. */
static sn_status add_hidden(struct rpc_call *c, const struct place *p, const struct told *chats, size_t n,
                            Messaging__ChatSync *out)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        MessagingRows__Hidden **hidden = NULL;
        size_t n_hidden = 0;

        if (n == 0 || p->since == 0) {
                return SN_OK;
        }
        for (size_t i = 0; i < n; i++) {
                ids[i] = chats[i].member->chat_id;
        }
        TRY(DB_READ(c, tx, sync_store_hidden(tx, ids, n, p->since, &n_hidden, &hidden)));
        for (size_t i = 0, at = 0; i < n_hidden; i++) {
                while (!uuid_equal(out->items[at]->chat_id, hidden[i]->chat_id)) {
                        at++;
                }
                add_hidden_id(c, out->items[at], hidden[i]->message_id);
        }
        return SN_OK;
}

sn_status messaging_handle_sync_chats(struct rpc_call *c, const Messaging__SyncChatsRequest *in,
                                      Messaging__ChatSync *out)
{
        size_t limit = in->limit != 0 ? in->limit : 20, n = 0;
        struct told *chats = ARENA_ARRAY(c->arena, struct told, limit);
        struct place place = {0};
        bool reset = false, done = false;

        TRY(read_place(c, in->since, &place));
        TRY(DB_READ(c, tx, find_chats(tx, &place, limit, chats, &n, &reset, &done)));
        start_items(c, chats, n, out);
        TRY(add_chats(c, chats, n, out));
        TRY(add_changes(c, chats, n, out));
        TRY(add_hidden(c, &place, chats, n, out));
        if (done) {
                place = (struct place){.since = place.began, .log = place.log};
        }
        out->reset = reset;
        out->more = !done;
        out->next = write_place(c, &place);
        return SN_OK;
}
