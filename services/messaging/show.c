/* Owns the assembly of messages and changes for their viewers. */
#include "services/messaging/show.h"

#include <string.h>
#include "services/messaging/people.h"

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
        m->client_id = uuid_equal(item->viewer, e->sender_id) ? e->client_id : "";
}

sn_status show_messages(struct rpc_call *c, struct shown *items, size_t n)
{
        char **ids = ARENA_ARRAY(c->arena, char *, n);
        User__Author **senders = NULL;

        for (size_t i = 0; i < n; i++) {
                ids[i] = items[i].entry->sender_id;
        }
        TRY(people_get(c, ids, n, &senders));
        for (size_t i = 0; i < n; i++) {
                if (items[i].message == NULL) {
                        items[i].message = ARENA_NEW(c->arena, Messaging__Message);
                        messaging__message__init(items[i].message);
                }
                fill_message(&items[i]);
                items[i].message->sender = senders[i];
        }
        return SN_OK;
}

static Messaging__Change *new_change(struct rpc_call *c, const chat_entry *entry)
{
        Messaging__Change *change = ARENA_NEW(c->arena, Messaging__Change);

        messaging__change__init(change);
        change->id = entry->id;
        change->chat_id = entry->chat_id;
        change->seq = entry->seq;
        change->kind = (Messaging__ChangeKind)entry->kind;
        change->created_at = entry->created_at;
        return change;
}

/* The messages among what is shown, and those that the others change. */
static sn_status show_messages_of(struct rpc_call *c, const struct shown *items, size_t n, Messaging__Change **changes)
{
        struct shown *messages = ARENA_ARRAY(c->arena, struct shown, n);
        size_t *places = ARENA_ARRAY(c->arena, size_t, n), n_messages = 0;

        for (size_t i = 0; i < n; i++) {
                chat_entry *message = is_message(items[i].entry) ? items[i].entry : items[i].of;

                if (message != NULL) {
                        messages[n_messages] = (struct shown){.entry = message, .viewer = items[i].viewer};
                        places[n_messages++] = i;
                }
        }
        TRY(show_messages(c, messages, n_messages));
        for (size_t i = 0; i < n_messages; i++) {
                changes[places[i]]->message = messages[i].message;
        }
        return SN_OK;
}

/* Two places for each entry: who did it, and to whom. */
sn_status show_changes(struct rpc_call *c, struct shown *items, size_t n, Messaging__Change **changes)
{
        char **ids = ARENA_ARRAY(c->arena, char *, 2 * n);
        User__Author **people = NULL;

        for (size_t i = 0; i < n; i++) {
                const chat_entry *e = items[i].entry;
                bool is_about_member = e->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_JOINED ||
                                       e->kind == MESSAGING__CHANGE_KIND__CHANGE_KIND_LEFT;

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

sn_status show_own_view(struct rpc_call *c, chat_entry **entries, size_t n, Messaging__Message ***messages)
{
        struct shown *items = ARENA_ARRAY(c->arena, struct shown, n);

        for (size_t i = 0; i < n; i++) {
                items[i] = (struct shown){.entry = entries[i], .viewer = c->actor};
        }
        TRY(show_messages(c, items, n));
        *messages = ARENA_ARRAY(c->arena, Messaging__Message *, n);
        for (size_t i = 0; i < n; i++) {
                (*messages)[i] = items[i].message;
        }
        return SN_OK;
}

sn_status show_message(struct rpc_call *c, chat_entry *entry, Messaging__Message *out)
{
        return show_messages(c, &(struct shown){.entry = entry, .viewer = c->actor, .message = out}, 1);
}

void show_stored(chat_entry *entry, Messaging__Message *out)
{
        fill_message(&(struct shown){.entry = entry, .viewer = entry->sender_id, .message = out});
}
