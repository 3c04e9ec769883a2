/* Notifies members of messages in their chats, and of requests to write to them; what one has read there is told no
 * more. Messages that are for many are handled a portion at a time. */
#include "services/notification/notification.h"

#include <stdio.h>
#include <string.h>
#include "services/messaging/messaging.rpc.h"
#include "services/notification/notify.h"
#include "services/notification/rules.h"

#define SENT "message.created"
#define READ "chat.read"

/* The messages of a batch, and whom they are for. */
struct sent {
        Messaging__ListRecipientsRequest in;
        size_t *events; /* of each message: its index in the batch */
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

/* A member has read a chat up to this event: also who writes in it. */
static void add_read(struct arrivals *a, const bus_event *event, const char *reader_id)
{
        static const enum notification_type types[] = {TYPE_MESSAGE, TYPE_MESSAGE_REQUEST};

        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                arrivals_add(a, &(struct arrival){.kind = ARRIVAL_READ,
                                                  .user_id = reader_id,
                                                  .type = types[i],
                                                  .group_key = arrival_key(a->c->arena, types[i], event->aggregate_id),
                                                  .actor_id = reader_id,
                                                  .note_id = "",
                                                  .root_id = "",
                                                  .chat_id = event->aggregate_id,
                                                  .chat_seq = event->version});
        }
}

/* Of the events before this index, in their order: a message that comes after one has read is told. */
static void add_events(struct arrivals *a, const struct bus_batch *batch, const struct sent *sent, size_t end)
{
        size_t at = 0;

        for (size_t i = 0; i < end; i++) {
                const bus_event *event = batch->events[i];
                const char *reader_id = strcmp(event->type, READ) == 0 ? event->object_id : event->actor_id;

                if (reader_id[0] != '\0') {
                        add_read(a, event, reader_id);
                }
                for (; at < sent->found.n_items && sent->events[sent->found.items[at]->message] == i; at++) {
                        add_sent(a, event, sent->found.items[at]);
                }
        }
}

/* An answer that is full may lack recipients of its last message: if that is the first event a part of it is done, and
 * otherwise those before it. */
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

static sn_status handle(struct rpc_call *c, struct bus_batch *batch)
{
        struct arrivals arrivals;
        struct sent sent;
        size_t end;

        collect_sent(c->arena, batch, &sent);
        if (sent.in.n_messages > 0) {
                TRY(messaging_list_recipients(c, &sent.in, &sent.found));
        }
        end = set_done(batch, &sent);
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
    .handle = handle,
};
