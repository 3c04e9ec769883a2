/* Notifies members of messages in their chats and of message requests, and removes notifications of messages that were
 * read in the chat. Messages with many recipients are handled in portions. */
#include "services/notification/notification.h"

#include <stdio.h>
#include <string.h>
#include "services/messaging/messaging.rpc.h"
#include "services/notification/notify.h"
#include "services/notification/rules.h"

#define SENT "message.created"
#define READ "chat.read"

/* The messages of a batch and their recipients. */
struct sent {
        Messaging__ListRecipientsRequest in;
        size_t *events; /* index of each message's event in the batch */
        Messaging__RecipientList found;
};

static void collect_sent(struct arena *arena, const struct bus_batch *batch, struct sent *sent)
{
        messaging__list_recipients_request__init(&sent->in);
        messaging__recipient_list__init(&sent->found);
        sent->in.after_id = (char *)batch->cursor;
        sent->in.limit = RULES_MAX;
        sent->in.messages = ARENA_ARRAY(arena, Messaging__SentMessage *, batch->n);
        sent->events = ARENA_ARRAY(arena, size_t, batch->n);
        for (size_t i = 0; i < batch->n; i++) {
                if (strcmp(batch->events[i]->type, SENT) == 0) {
                        Messaging__SentMessage *message = ARENA_NEW(arena, Messaging__SentMessage);

                        messaging__sent_message__init(message);
                        message->chat_id = batch->events[i]->aggregate_id;
                        message->seq = batch->events[i]->version;
                        message->sender_id = batch->events[i]->actor_id;
                        sent->events[sent->in.n_messages] = i;
                        sent->in.messages[sent->in.n_messages++] = message;
                }
        }
}

static void add_sent(struct arrivals *a, const bus_event *event, const Messaging__Recipient *recipient)
{
        enum notification_type type = recipient->request ? TYPE_MESSAGE_REQUEST : TYPE_MESSAGE;

        arrivals_add(a, &(struct arrival){.user_id = recipient->user_id,
                                          .type = type,
                                          .group_key = arrival_key(a->c->arena, type, event->aggregate_id),
                                          .actor_id = event->actor_id,
                                          .note_id = "",
                                          .root_id = "",
                                          .chat_id = event->aggregate_id,
                                          .chat_seq = event->version,
                                          .at_ms = arrival_time_ms(event)});
}

/* How far a member has read a chat, according to a batch. Writing in a chat counts as having read it. */
struct reading {
        const bus_event *event; /* the latest one */
        const char *reader_id;
};

struct readings {
        struct reading *items;
        size_t n;
};

static const char *reader_of(const bus_event *event)
{
        return strcmp(event->type, READ) == 0 ? event->object_id : event->actor_id;
}

static struct reading *find_reading(const struct readings *r, const char *chat_id, const char *reader_id)
{
        for (size_t i = 0; i < r->n; i++) {
                if (uuid_equal(r->items[i].event->aggregate_id, chat_id) &&
                    uuid_equal(r->items[i].reader_id, reader_id)) {
                        return &r->items[i];
                }
        }
        return NULL;
}

static void collect_readings(struct arena *arena, const struct bus_batch *batch, size_t end, struct readings *r)
{
        *r = (struct readings){ARENA_ARRAY(arena, struct reading, end), 0};
        for (size_t i = 0; i < end; i++) {
                const bus_event *event = batch->events[i];
                const char *reader_id = reader_of(event);
                struct reading *known = find_reading(r, event->aggregate_id, reader_id);

                if (known != NULL && known->event->version < event->version) {
                        known->event = event;
                } else if (known == NULL && reader_id[0] != '\0') {
                        r->items[r->n++] = (struct reading){event, reader_id};
                }
        }
}

static void add_read(struct arrivals *a, const struct reading *reading)
{
        static const enum notification_type types[] = {TYPE_MESSAGE, TYPE_MESSAGE_REQUEST};
        const bus_event *event = reading->event;

        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                arrivals_add(a, &(struct arrival){.kind = ARRIVAL_READ,
                                                  .user_id = reading->reader_id,
                                                  .type = types[i],
                                                  .group_key = arrival_key(a->c->arena, types[i], event->aggregate_id),
                                                  .actor_id = reading->reader_id,
                                                  .note_id = "",
                                                  .root_id = "",
                                                  .chat_id = event->aggregate_id,
                                                  .chat_seq = event->version});
        }
}

/* Adds the events before index end: first everything that was read, then everything that was not, in two runs however
 * they alternate in the batch. */
static void add_events(struct arrivals *a, const struct bus_batch *batch, const struct sent *sent, size_t end)
{
        struct readings readings;

        collect_readings(a->c->arena, batch, end, &readings);
        for (size_t i = 0; i < readings.n; i++) {
                add_read(a, &readings.items[i]);
        }
        for (size_t at = 0; at < sent->found.n_items; at++) {
                const Messaging__Recipient *recipient = sent->found.items[at];
                const bus_event *event =
                    sent->events[recipient->message] < end ? batch->events[sent->events[recipient->message]] : NULL;
                const struct reading *reading =
                    event != NULL ? find_reading(&readings, event->aggregate_id, recipient->user_id) : NULL;

                if (event != NULL && (reading == NULL || reading->event->version < event->version)) {
                        add_sent(a, event, recipient);
                }
        }
}

/* A full answer may lack recipients of its last message. If that message is the first event, a part of it is done;
 * otherwise all events before it are. */
static size_t set_done(struct bus_batch *batch, const struct sent *sent)
{
        const Messaging__Recipient *last = NULL;
        size_t n = sent->found.n_items;

        if (n == RULES_MAX) {
                last = sent->found.items[n - 1];
                batch->n_done = sent->events[last->message];
        }
        (void)snprintf(batch->cursor, sizeof(batch->cursor), "%s",
                       last != NULL && batch->n_done == 0 ? last->user_id : "");
        return batch->n_done > 0 ? batch->n_done : 1;
}

static sn_status handle_message_events(struct rpc_call *c, struct bus_batch *batch)
{
        struct arrivals arrivals;
        struct sent sent;

        collect_sent(c->arena, batch, &sent);
        if (sent.in.n_messages > 0) {
                TRY(messaging_list_recipients(c, &sent.in, &sent.found));
        }
        size_t end = set_done(batch, &sent);
        arrivals_start(&arrivals, c);
        add_events(&arrivals, batch, &sent, end);
        return notify_portion(&arrivals);
}

static const char *const types[] = {SENT, READ, NULL};

const struct bus_consumer notification_message_events = {
    .name = "message_events",
    .source = "messaging",
    .read_outbox = &messaging_methods[MESSAGING_READ_OUTBOX],
    .types = types,
    .handle = handle_message_events,
    .pace_ms = 250, /* messages of a chat within that time share a notification */
};
