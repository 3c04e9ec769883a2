/* Arrivals: whom the events of a batch notify, and of what; collected first and then stored in their order. */
#ifndef SERVICES_NOTIFICATION_ARRIVALS_H
#define SERVICES_NOTIFICATION_ARRIVALS_H

#include "bus/bus.h"
#include "services/notification/decide.h"

enum arrival_kind {
        ARRIVAL_NEWS,   /* somebody did something that a member is notified of, */
        ARRIVAL_UNDONE, /* or undid it, */
        ARRIVAL_READ    /* or the member has read it where it was said: it is told no more */
};

struct arrival {
        enum arrival_kind kind;
        const char *user_id; /* who is notified; when something was undone "": whoever was notified */
        enum notification_type type;
        const char *group_key; /* arrivals with the same key make one notification */
        const char *actor_id;
        const char *note_id; /* "": none */
        const char *root_id; /* the conversation of the note, or "" */
        bool is_private;     /* a mention in what is not for everybody */
        const char *chat_id; /* what happened in a chat, not once but each time; NULL: elsewhere */
        int64_t chat_seq;    /* its number in the chat's log, or up to which the member has read */
        int64_t at_ms;
        size_t event; /* its index in the batch */
        struct decision decision;
        const struct aggregation_rule *rule; /* of news that was decided: what it is told together with */
};

struct arrivals {
        struct rpc_call *c;
        struct arrival *items;
        size_t n, room;
};

void arrivals_start(struct arrivals *a, struct rpc_call *c);
/* What one does oneself, one is not told, unless it concerns one's own account; what was nobody's doing (an
 * erased member's likes go) undoes nothing. */
void arrivals_add(struct arrivals *a, const struct arrival *arrival);
/* Decides for each where it is listed and sent. Asks other services: before the transaction. */
SN_CHECKED sn_status arrivals_decide(struct arrivals *a);
/* In the transaction that stores the position of the events; skips the first events, which were handled before. Each
 * actor counts once in a group, and one who undoes something that was read, and does it again, causes no second
 * notification; of what is said in a chat, each entry of its log counts once. */
SN_CHECKED sn_status arrivals_store(struct arrivals *a, struct db_tx *tx, size_t n_done);

int64_t arrival_time_ms(const bus_event *event);
/* "like:ID": what happened to the same object makes one notification. */
char *arrival_key(struct arena *arena, enum notification_type type, const char *id);

#endif
