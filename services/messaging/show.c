/* Owns assembling messages and changes for viewers. */
#include "services/messaging/show.h"

#include <string.h>
#include "services/messaging/attachments.h"
#include "services/messaging/chat_mentions.h"
#include "services/messaging/membership.h"
#include "services/messaging/people.h"
#include "services/messaging/store_changes.h"
#include "services/messaging/store_log.h"
#include "services/messaging/versions.h"
#include "services/note/note.rpc.h"

/* For more viewers at once shared notes are not included; clients load them separately. */
#define NOTE_VIEWERS_MAX 20

bool show_asks(char *const *ids, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (ids[i][0] != '\0') {
                        return true;
                }
        }
        return false;
}

static bool is_message(const chat_entry *entry)
{
        return entry->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_MESSAGE;
}

static void fill_message(struct shown *item)
{
        const chat_entry *e = item->entry;
        Messaging__Message *m = item->message;

        m->id = e->id;
        m->chat_id = e->chat_id;
        m->seq = e->seq;
        m->text = e->text;
        m->created_at = e->created_at;
        m->edited_at = e->edited_at;
        m->deleted = e->deleted;
        m->expires_at = e->expires_at;
        m->note_id = e->note_id;
        m->forwarded = e->forwarded;
        m->client_id = uuid_equal(item->viewer, e->sender_id) ? e->client_id : "";
}

/* Marks messages of members whom the viewer blocks, except in direct chats, where a block stops messages altogether. */
static sn_status mark_blocked(struct rpc_call *c, struct shown *items, size_t n)
{
        char **viewers = ARENA_ARRAY(c->arena, char *, n), **senders = ARENA_ARRAY(c->arena, char *, n);
        bool *blocked = NULL;

        for (size_t i = 0; i < n; i++) {
                const chat_member *m = items[i].member;
                bool asked = m != NULL && m->kind != MESSAGING__CHAT_KIND__CHAT_KIND_DIRECT;

                viewers[i] = asked ? (char *)items[i].viewer : "";
                senders[i] = items[i].entry->sender_id;
        }
        TRY(people_blocked(c, viewers, senders, n, &blocked));
        for (size_t i = 0; i < n; i++) {
                items[i].message->blocked = blocked[i];
        }
        return SN_OK;
}

/* ---- Reactions ---- */

static sn_status add_reactions(struct rpc_call *c, struct shown *items, size_t n)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n), **viewers = ARENA_ARRAY(c->arena, char *, n);
        MessagingRows__Reaction **rows = NULL;
        size_t n_rows = 0;

        for (size_t i = 0; i < n; i++) {
                ids[i] = items[i].entry->reacted ? items[i].entry->id : "";
                viewers[i] = (char *)items[i].viewer;
        }
        TRY(show_asks(ids, n) ? DB_READ(c, tx, chat_store_reactions(tx, ids, viewers, n, &n_rows, &rows)) : SN_OK);
        for (size_t i = 0; i < n_rows; i++) {
                const struct shown *item = &items[rows[i]->place];
                Messaging__Message *m = item->message;
                Messaging__Reaction *reaction = ARENA_NEW(c->arena, Messaging__Reaction);

                if (item->member != NULL && !membership_is_present(item->member)) {
                        continue; /* former members do not see later reactions */
                }
                if (m->reactions == NULL) {
                        m->reactions = ARENA_ARRAY(c->arena, Messaging__Reaction *, REACTIONS_MAX);
                }
                messaging__reaction__init(reaction);
                reaction->emoji = rows[i]->emoji;
                reaction->count = rows[i]->count;
                reaction->mine = rows[i]->mine;
                if (m->n_reactions < REACTIONS_MAX) {
                        m->reactions[m->n_reactions++] = reaction;
                }
        }
        return SN_OK;
}

/* ---- Answered messages ---- */

static Messaging__RepliedMessage *new_reply(struct rpc_call *c, const chat_entry *of, User__Author *sender)
{
        Messaging__RepliedMessage *reply = ARENA_NEW(c->arena, Messaging__RepliedMessage);

        messaging__replied_message__init(reply);
        reply->id = of->id;
        reply->seq = of->seq;
        reply->sender = sender;
        reply->text = of->text;
        reply->deleted = of->deleted;
        return reply;
}

/* Finds those that their viewers have deleted for themselves. */
static sn_status find_hidden(struct rpc_call *c, const struct shown *items, const size_t *places,
                             chat_entry *const *messages, size_t n, bool **hidden)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n), **viewers = ARENA_ARRAY(c->arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = messages[i]->hidden ? messages[i]->id : "";
                viewers[i] = (char *)items[places[i]].viewer;
        }
        *hidden = ARENA_ARRAY(c->arena, bool, n);
        return show_asks(ids, n) ? DB_READ(c, tx, chat_store_hidden(tx, ids, viewers, n, hidden)) : SN_OK;
}

/* places[i]: the index of the item that the i-th answered message belongs to. */
static sn_status load_answered(struct rpc_call *c, const struct shown *items, size_t n, size_t *places,
                               chat_entry ***answered, size_t *n_answered)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        const chat_member **members = ARENA_ARRAY(c->arena, const chat_member *, n);
        size_t n_ids = 0;

        for (size_t i = 0; i < n; i++) {
                if (items[i].entry->reply_to_id[0] != '\0') {
                        places[n_ids] = i;
                        ids[n_ids++] = items[i].entry->reply_to_id;
                }
        }
        *n_answered = 0;
        TRY(n_ids > 0 ? DB_READ(c, tx, chat_store_entries(tx, ids, n_ids, n_answered, answered)) : SN_OK);
        for (size_t i = 0; i < *n_answered; i++) {
                members[i] = items[places[i]].member;
        }
        return *n_answered > 0 ? versions_choose(c, members, *answered, *n_answered) : SN_OK;
}

static sn_status add_replies(struct rpc_call *c, struct shown *items, size_t n)
{
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_answered = 0;
        chat_entry **answered = NULL;
        User__Author **senders = NULL;
        bool *hidden = NULL;

        TRY(load_answered(c, items, n, places, &answered, &n_answered));
        if (n_answered == 0) {
                return SN_OK;
        }
        TRY(find_hidden(c, items, places, answered, n_answered, &hidden));
        char **ids = ARENA_ARRAY(c->arena, char *, n_answered);

        for (size_t i = 0; i < n_answered; i++) {
                ids[i] = answered[i]->sender_id;
        }
        TRY(people_get(c, ids, n_answered, &senders));
        for (size_t i = 0; i < n_answered;
             i++) { /* messages are never removed from the log, so every id has an entry */
                struct shown *item = &items[places[i]];

                if (!hidden[i] && item->member != NULL && membership_sees(item->member, answered[i]->seq)) {
                        item->message->reply_to = new_reply(c, answered[i], senders[i]);
                }
        }
        return SN_OK;
}

/* ---- Shared notes, as far as the viewer may see them ---- */

static sn_status add_notes_for(struct rpc_call *c, struct shown *items, size_t n, const char *viewer)
{
        Note__BatchGetRequest in = NOTE__BATCH_GET_REQUEST__INIT;
        Note__Notes out = NOTE__NOTES__INIT;

        in.viewer_id = (char *)viewer;
        in.ids = ARENA_ARRAY(c->arena, char *, n);
        for (size_t i = 0; i < n; i++) {
                if (items[i].viewer == viewer && items[i].entry->note_id[0] != '\0') {
                        in.ids[in.n_ids++] = items[i].entry->note_id;
                }
        }
        TRY(note_batch_get(c, &in, &out));
        for (size_t i = 0, at = 0; i < n && at < out.n_items; i++) {
                if (items[i].viewer == viewer && uuid_equal(items[i].entry->note_id, out.items[at]->id)) {
                        items[i].message->note = out.items[at++];
                }
        }
        return SN_OK;
}

static bool is_first_of_viewer(const struct shown *items, size_t at)
{
        for (size_t i = 0; i < at; i++) {
                if (items[i].viewer == items[at].viewer && items[i].entry->note_id[0] != '\0') {
                        return false;
                }
        }
        return true;
}

static sn_status add_notes(struct rpc_call *c, struct shown *items, size_t n)
{
        size_t n_viewers = 0;

        for (size_t i = 0; i < n && n_viewers < NOTE_VIEWERS_MAX; i++) {
                if (items[i].entry->note_id[0] != '\0' && is_first_of_viewer(items, i)) {
                        TRY(add_notes_for(c, items, n, items[i].viewer));
                        n_viewers++;
                }
        }
        return SN_OK;
}

/* ---- Messages ---- */

static sn_status choose_versions(struct rpc_call *c, struct shown *items, size_t n)
{
        const chat_member **members = ARENA_ARRAY(c->arena, const chat_member *, n);
        chat_entry **entries = ARENA_ARRAY(c->arena, chat_entry *, n);

        for (size_t i = 0; i < n; i++) {
                members[i] = items[i].member;
                entries[i] = items[i].entry;
        }
        TRY(versions_choose(c, members, entries, n));
        for (size_t i = 0; i < n; i++) {
                items[i].entry = entries[i];
        }
        return SN_OK;
}

sn_status show_messages(struct rpc_call *c, struct shown *items, size_t n)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        User__Author **senders = NULL;

        if (n == 0) {
                return SN_OK;
        }
        for (size_t i = 0; i < n; i++) {
                ids[i] = items[i].entry->sender_id;
        }
        TRY(people_get(c, ids, n, &senders));
        TRY(choose_versions(c, items, n));
        for (size_t i = 0; i < n; i++) {
                if (items[i].message == NULL) {
                        items[i].message = ARENA_NEW(c->arena, Messaging__Message);
                        messaging__message__init(items[i].message);
                }
                fill_message(&items[i]);
                items[i].message->sender = senders[i];
        }
        TRY(mark_blocked(c, items, n));
        TRY(chat_mentions_show(c, items, n));
        TRY(add_reactions(c, items, n));
        TRY(add_replies(c, items, n));
        TRY(attachments_show(c, items, n));
        return add_notes(c, items, n);
}

/* ---- Changes ---- */

static Messaging__Change *new_change(struct rpc_call *c, const chat_entry *entry)
{
        Messaging__Change *change = ARENA_NEW(c->arena, Messaging__Change);

        messaging__change__init(change);
        change->id = entry->id;
        change->chat_id = entry->chat_id;
        change->seq = entry->seq;
        change->kind = (Messaging__ChangeKind)entry->kind;
        change->created_at = entry->created_at;
        change->emoji = entry->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_REACTED ||
                                entry->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_UNREACTED
                            ? entry->text
                            : "";
        return change;
}

/* Collects the messages among the items and those that other entries change; places[i] is the index of the item.
 * Without messages that the viewer has deleted for themselves, whose entries are nevertheless shown. */
static sn_status find_messages(struct rpc_call *c, const struct shown *items, size_t n, struct shown *messages,
                               size_t *places, size_t *n_messages)
{
        chat_entry **entries = ARENA_ARRAY(c->arena, chat_entry *, n);
        size_t n_found = 0;
        bool *hidden = NULL;

        for (size_t i = 0; i < n; i++) {
                entries[n_found] = is_message(items[i].entry) ? items[i].entry : items[i].of;
                places[n_found] = i;
                n_found += entries[n_found] != NULL;
        }
        TRY(find_hidden(c, items, places, entries, n_found, &hidden));
        for (size_t i = 0; i < n_found; i++) {
                if (!hidden[i]) {
                        const struct shown *item = &items[places[i]];

                        messages[*n_messages] =
                            (struct shown){.entry = entries[i], .viewer = item->viewer, .member = item->member};
                        places[(*n_messages)++] = places[i];
                }
        }
        return SN_OK;
}

static sn_status show_messages_of(struct rpc_call *c, const struct shown *items, size_t n, Messaging__Change **changes)
{
        struct shown *messages = ARENA_ARRAY(c->arena, struct shown, n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_messages = 0;

        TRY(find_messages(c, items, n, messages, places, &n_messages));
        TRY(show_messages(c, messages, n_messages));
        for (size_t i = 0; i < n_messages; i++) {
                changes[places[i]]->message = messages[i].message;
        }
        return SN_OK;
}

/* Two people per entry: who did it, and to whom. */
sn_status show_changes(struct rpc_call *c, struct shown *items, size_t n, Messaging__Change **changes)
{
        char **ids = ARENA_ARRAY(c->arena, char *, 2 * n);
        User__Author **people = NULL;

        for (size_t i = 0; i < n; i++) {
                const chat_entry *e = items[i].entry;
                bool is_about_member = e->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_JOINED ||
                                       e->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_LEFT ||
                                       e->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_ROLE;

                ids[2 * i] = e->sender_id;
                ids[2 * i + 1] = is_about_member ? e->target_id : "";
        }
        TRY(people_get(c, ids, 2 * n, &people));
        for (size_t i = 0; i < n; i++) {
                changes[i] = new_change(c, items[i].entry);
                changes[i]->actor = people[2 * i];
                changes[i]->member = people[2 * i + 1];
        }
        return show_messages_of(c, items, n, changes);
}

sn_status show_own_view(struct rpc_call *c, const chat_member *member, chat_entry **entries, size_t n,
                        Messaging__Message ***messages)
{
        struct shown *items = ARENA_ARRAY(c->arena, struct shown, n);

        for (size_t i = 0; i < n; i++) {
                items[i] = (struct shown){.entry = entries[i], .viewer = c->actor, .member = member};
        }
        TRY(show_messages(c, items, n));
        *messages = ARENA_ARRAY(c->arena, Messaging__Message *, n);
        for (size_t i = 0; i < n; i++) {
                (*messages)[i] = items[i].message;
        }
        return SN_OK;
}

sn_status show_message(struct rpc_call *c, const chat_member *member, chat_entry *entry, Messaging__Message *out)
{
        return show_messages(c, &(struct shown){.entry = entry, .viewer = c->actor, .member = member, .message = out},
                             1);
}

void show_stored(chat_entry *entry, Messaging__Message *out)
{
        fill_message(&(struct shown){.entry = entry, .viewer = entry->sender_id, .message = out});
}
