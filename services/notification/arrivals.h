/* Arrivals: whom the events of a batch notify, and of what. They are collected first and then stored in order. */
#ifndef SERVICES_NOTIFICATION_ARRIVALS_H
#define SERVICES_NOTIFICATION_ARRIVALS_H

#include "bus/bus.h"
#include "services/notification/decide.h"

enum arrival_kind {
        ARRIVAL_NEWS,   /* an actor did something that the member is notified of */
        ARRIVAL_UNDONE, /* the actor undid it */
        ARRIVAL_READ    /* the member has read it in the chat itself */
};

struct arrival {
        enum arrival_kind kind;
        const char *user_id; /* who is notified; "" with ARRIVAL_UNDONE: whoever was */
        enum notification_type type;
        const char *group_key; /* arrivals with the same key make one notification */
        const char *actor_id;
        const char *note_id; /* "" if none */
        const char *root_id; /* the root of the note's conversation, or "" */
        bool is_private;     /* a mention in a note that is not public */
        const char *chat_id; /* the chat, if it happened in one: each entry of its log then counts; otherwise NULL */
        int64_t chat_seq;    /* position in the chat's log, or the position up to which the member has read */
        int64_t at_ms;
        size_t event; /* index in the batch */
        struct decision decision;
        const struct aggregation_rule *rule; /* set by arrivals_decide for ARRIVAL_NEWS */
};

struct arrivals {
        struct rpc_call *c;
        struct arrival *items;
        size_t n, room;
};

void arrivals_start(struct arrivals *a, struct rpc_call *c);
/* Skips members' own actions unless the type concerns their own account, and events without an actor (such as the
 * removal of an erased member's likes). */
void arrivals_add(struct arrivals *a, const struct arrival *arrival);
/* Decides where each arrival is listed and sent. Calls other services, so it must run before the transaction. */
SN_CHECKED sn_status arrivals_decide(struct arrivals *a);
/* Runs in the transaction that stores the consumer's position, and skips the first n_done events, which were handled
 * before. Each actor counts once per group, and undoing something that was read and doing it again causes no second
 * notification. In chats each log entry counts once. */
SN_CHECKED sn_status arrivals_store(struct arrivals *a, struct db_tx *tx, size_t n_done);

int64_t arrival_time_ms(const bus_event *event);
/* "like:ID", so that events on the same object share a notification. */
char *arrival_key(struct arena *arena, enum notification_type type, const char *id);

#endif
