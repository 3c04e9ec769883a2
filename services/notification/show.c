/* Owns showing notifications. Whatever other services own is fetched at the time of reading. */
#include "services/notification/show.h"

#include <string.h>
#include "db/db.h"
#include "services/follow/follow.rpc.h"
#include "services/messaging/messaging.rpc.h"
#include "services/notification/notification.h"
#include "services/notification/store.h"
#include "services/timestamp.h"

enum {
        ASKED_AT_ONCE = 1000, /* the limit of user.BatchGetAuthors and follow.GetRelations */
        NOTES_AT_ONCE = 500,  /* the limit of note.BatchGet */
};

struct showing {
        struct rpc_call *c;
        const char *reader;
        NotificationRows__Stored **rows;
        size_t n;
        Note__Notes notes;
        Messaging__UnreadChats chats;
};

struct actors {
        char **ids;
        User__Author **authors;
        Follow__Relationship **relations;
        size_t n;
};

/* Collects the actors of all rows, in the order of rows. */
static void collect_actors(struct showing *s, struct actors *a)
{
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++) {
                n += s->rows[i]->n_actor_ids;
        }
        *a = (struct actors){.ids = ARENA_ARRAY(s->c->arena, char *, n)};
        for (size_t i = 0; i < s->n; i++) {
                for (size_t k = 0; k < s->rows[i]->n_actor_ids; k++) {
                        a->ids[a->n++] = s->rows[i]->actor_ids[k];
                }
        }
}

static sn_status check_number(struct rpc_call *c, size_t given, size_t asked)
{
        return given == asked ? SN_OK
                              : rpc_fail(c, SN_INTERNAL, NULL, "a service answered with the wrong number of members");
}

static sn_status load_some(struct showing *s, struct actors *a, size_t from, size_t n)
{
        User__BatchGetAuthorsRequest ask_authors = USER__BATCH_GET_AUTHORS_REQUEST__INIT;
        Follow__GetRelationsRequest ask_relations = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        User__Authors authors = USER__AUTHORS__INIT;
        Follow__Relations relations = FOLLOW__RELATIONS__INIT;

        ask_authors.ids = ask_relations.user_ids = a->ids + from;
        ask_authors.n_ids = ask_relations.n_user_ids = n;
        ask_relations.viewer_id = (char *)s->reader;
        TRY(user_batch_get_authors(s->c, &ask_authors, &authors));
        TRY(check_number(s->c, authors.n_items, n));
        TRY(follow_get_relations(s->c, &ask_relations, &relations));
        TRY(check_number(s->c, relations.n_items, n));
        memcpy(a->authors + from, authors.items, n * sizeof(*a->authors));
        memcpy(a->relations + from, relations.items, n * sizeof(*a->relations));
        return SN_OK;
}

static sn_status load_actors(struct showing *s, struct actors *a)
{
        a->authors = ARENA_ARRAY(s->c->arena, User__Author *, a->n);
        a->relations = ARENA_ARRAY(s->c->arena, Follow__Relationship *, a->n);
        for (size_t from = 0; from < a->n; from += ASKED_AT_ONCE) {
                TRY(load_some(s, a, from, a->n - from < ASKED_AT_ONCE ? a->n - from : ASKED_AT_ONCE));
        }
        return SN_OK;
}

static sn_status load_notes(struct showing *s)
{
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;

        in.viewer_id = (char *)s->reader;
        in.ids = ARENA_ARRAY(s->c->arena, char *, s->n);
        for (size_t i = 0; i < s->n; i++) {
                if (s->rows[i]->note_id[0] != '\0') {
                        in.ids[in.n_ids++] = s->rows[i]->note_id;
                }
        }
        return in.n_ids > 0 ? note_batch_get(s->c, &in, &s->notes) : SN_OK;
}

static Note__Note *find_note(const struct showing *s, const char *id)
{
        for (size_t i = 0; i < s->notes.n_items; i++) {
                if (strcmp(s->notes.items[i]->id, id) == 0) {
                        return s->notes.items[i];
                }
        }
        return NULL;
}

/* Loads the chats that the reader is in, has not muted and has not read to the end. */
static sn_status load_chats(struct showing *s)
{
        Messaging__BatchGetUnreadChatsRequest in = MESSAGING__BATCH_GET_UNREAD_CHATS_REQUEST__INIT;

        in.viewer_id = (char *)s->reader;
        in.ids = ARENA_ARRAY(s->c->arena, char *, s->n);
        for (size_t i = 0; i < s->n; i++) {
                if (s->rows[i]->chat_id[0] != '\0') {
                        in.ids[in.n_ids++] = s->rows[i]->chat_id;
                }
        }
        return in.n_ids > 0 ? messaging_batch_get_unread_chats(s->c, &in, &s->chats) : SN_OK;
}

static const Messaging__UnreadChat *find_chat(const struct showing *s, const char *id)
{
        for (size_t i = 0; i < s->chats.n_items; i++) {
                if (strcmp(s->chats.items[i]->id, id) == 0) {
                        return s->chats.items[i];
                }
        }
        return NULL;
}

/* False if the chat has nothing new for the reader, or is no longer (or not yet) a request as the notification says. */
static bool add_chat(struct showing *s, const NotificationRows__Stored *row)
{
        const Messaging__UnreadChat *chat = find_chat(s, row->chat_id);
        bool request = strcmp(row->notification->type, type_name(TYPE_MESSAGE_REQUEST)) == 0;

        if (chat == NULL || chat->request != request) {
                return false;
        }
        row->notification->chat = ARENA_NEW(s->c->arena, Notification__NotifiedChat);
        notification__notified_chat__init(row->notification->chat);
        row->notification->chat->id = chat->id;
        row->notification->chat->kind = chat->kind;
        row->notification->chat->title = chat->title;
        return true;
}

/* Adds the text of the latest message only if its sender is the actor shown first. */
static void add_text(const struct showing *s, Notification__Notification *out)
{
        const Messaging__UnreadChat *chat = find_chat(s, out->chat->id);

        if (out->n_actors > 0 && strcmp(out->actors[0]->id, chat->sender_id) == 0) {
                out->text = chat->text;
        }
}

static bool is_seen(const User__Author *author, const Follow__Relationship *r)
{
        return author->id[0] != '\0' && !r->blocking && !r->blocked_by && !r->muting;
}

static bool is_there(struct showing *s, NotificationRows__Stored *row)
{
        if (row->note_id[0] != '\0') {
                row->notification->note = find_note(s, row->note_id);
                return row->notification->note != NULL;
        }
        return row->chat_id[0] == '\0' || add_chat(s, row);
}

/* Drops rows whose note or chat is hidden, before loading actors. */
static void drop_hidden(struct showing *s)
{
        size_t kept = 0;

        for (size_t i = 0; i < s->n; i++) {
                if (is_there(s, s->rows[i])) {
                        s->rows[kept++] = s->rows[i];
                }
        }
        s->n = kept;
}

/* False if none of its actors is visible. */
static bool fill_notification(struct showing *s, NotificationRows__Stored *row, User__Author **authors,
                              Follow__Relationship **relations)
{
        Notification__Notification *out = row->notification;

        out->actors = ARENA_ARRAY(s->c->arena, User__Author *, SHOW_ACTORS_FEW);
        for (size_t i = 0; i < row->n_actor_ids; i++) {
                if (!is_seen(authors[i], relations[i]) ||
                    (strcmp(out->type, type_name(TYPE_FOLLOW_REQUEST)) == 0 && !relations[i]->requested_by)) {
                        continue;
                }
                if (out->n_actors < SHOW_ACTORS_FEW) {
                        out->actors[out->n_actors++] = authors[i];
                }
                out->actors_count++;
        }
        if (out->chat != NULL) {
                add_text(s, out);
        }
        return out->actors_count > 0;
}

static sn_status show_rows(struct rpc_call *c, const char *reader, NotificationRows__Stored **rows, size_t n,
                           size_t *n_shown, Notification__Notification **shown)
{
        struct showing s = {.c = c, .reader = reader, .rows = rows, .n = n};
        struct actors actors;
        size_t at = 0;

        note__notes__init(&s.notes);
        messaging__unread_chats__init(&s.chats);
        if (n > NOTES_AT_ONCE) {
                return rpc_fail(c, SN_INTERNAL, NULL, "too many notifications at once");
        }
        TRY(load_notes(&s));
        TRY(load_chats(&s));
        drop_hidden(&s);
        collect_actors(&s, &actors);
        TRY(load_actors(&s, &actors));
        for (size_t i = 0; i < s.n; at += s.rows[i++]->n_actor_ids) {
                if (fill_notification(&s, s.rows[i], actors.authors + at, actors.relations + at)) {
                        shown[(*n_shown)++] = s.rows[i]->notification;
                }
        }
        return SN_OK;
}

sn_status show_notification_rows(struct rpc_call *c, const char *reader, NotificationRows__Stored **rows, size_t n,
                                 size_t *n_shown, Notification__Notification ***shown)
{
        *n_shown = 0;
        *shown = ARENA_ARRAY(c->arena, Notification__Notification *, n);
        return show_rows(c, reader, rows, n, n_shown, *shown);
}

/* ---- What waits ---- */

static void add_held(struct arena *arena, Notification__Why *why, const NotificationRows__Held *row, size_t n_most)
{
        Notification__Held *held = ARENA_NEW(arena, Notification__Held);

        notification__held__init(held);
        held->channel = (char *)channel_name((enum channel)row->channel);
        held->by = (char *)hold_name((enum hold)row->hold);
        held->until = row->until;
        if (why->held == NULL) {
                why->held = ARENA_ARRAY(arena, Notification__Held *, n_most);
        }
        why->held[why->n_held++] = held;
}

static sn_status add_all_held(struct rpc_call *c, Notification__Notification *const *of, char **ids, size_t n)
{
        NotificationRows__Held **rows = NULL;
        size_t n_rows = 0;

        TRY(DB_READ(c, tx, store_held(tx, ids, n, &n_rows, &rows)));
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < n_rows; k++) {
                        if (strcmp(rows[k]->id, ids[i]) == 0) {
                                add_held(c->arena, of[i]->why, rows[k], n_rows);
                        }
                }
        }
        return SN_OK;
}

sn_status show_held(struct rpc_call *c, NotificationRows__Stored *const *rows, size_t n)
{
        Notification__Notification **of = ARENA_ARRAY(c->arena, Notification__Notification *, n);
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        size_t some = 0;

        for (size_t i = 0; i < n; i++) {
                if (rows[i]->may_wait && rows[i]->notification->read_at == NULL) {
                        of[some] = rows[i]->notification;
                        ids[some++] = rows[i]->notification->id;
                }
        }
        return some > 0 ? add_all_held(c, of, ids, some) : SN_OK;
}

/* ---- By id ---- */

static sn_status load_rows(struct rpc_call *c, const char *reader, char **ids, size_t n, size_t *n_rows,
                           NotificationRows__Stored ***rows)
{
        char **readers = ARENA_ARRAY(c->arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                readers[i] = (char *)reader;
        }
        return DB_READ(c, tx, store_notifications(tx, readers, ids, n, SHOW_ACTORS_MAX, false, n_rows, rows));
}

sn_status show_notifications(struct rpc_call *c, const char *reader, char **ids, size_t n, size_t *n_shown,
                             Notification__Notification ***shown)
{
        NotificationRows__Stored **rows = NULL;
        size_t n_rows = 0;

        TRY(load_rows(c, reader, ids, n, &n_rows, &rows));
        TRY(show_held(c, rows, n_rows));
        return show_notification_rows(c, reader, rows, n_rows, n_shown, shown);
}

static bool is_among(Notification__Notification *const *shown, size_t n, const char *id)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(shown[i]->id, id) == 0) {
                        return true;
                }
        }
        return false;
}

sn_status show_for_count(struct rpc_call *c, const char *reader, NotificationRows__Stored **rows, size_t n,
                         size_t *n_shown, Notification__Notification ***shown)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n), **others = ARENA_ARRAY(c->arena, char *, n);
        NotificationRows__Stored **more = NULL;
        size_t n_others = 0, n_rows = 0;

        for (size_t i = 0; i < n; i++) { /* showing reorders the rows */
                ids[i] = rows[i]->notification->id;
        }
        TRY(show_notification_rows(c, reader, rows, n, n_shown, shown));
        for (size_t i = 0; i < n; i++) {
                if (!is_among(*shown, *n_shown, ids[i])) {
                        others[n_others++] = ids[i];
                }
        }
        if (n_others == 0) {
                return SN_OK;
        }
        TRY(load_rows(c, reader, others, n_others, &n_rows, &more));
        return show_rows(c, reader, more, n_rows, n_shown, *shown);
}

sn_status show_actors(struct rpc_call *c, const char *reader, char **ids, size_t *n)
{
        struct showing s = {.c = c, .reader = reader};
        struct actors actors = {.ids = ids, .n = *n};

        TRY(load_actors(&s, &actors));
        *n = 0;
        for (size_t i = 0; i < actors.n; i++) {
                if (is_seen(actors.authors[i], actors.relations[i])) {
                        ids[(*n)++] = ids[i];
                }
        }
        return SN_OK;
}
