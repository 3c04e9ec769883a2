/* Arrivals: what the events of a batch tell whom, gathered first and then stored in their order. */
#ifndef SERVICES_NOTIFICATION_ARRIVALS_H
#define SERVICES_NOTIFICATION_ARRIVALS_H

#include "bus/bus.h"
#include "services/notification/decide.h"

/* Somebody did something that a member is told of, or undid it. */
struct arrival {
        bool undone;
        const char *user_id; /* who is told; of what was undone "": whoever was told */
        enum notification_type type;
        const char *group_key; /* what is told together */
        const char *actor_id;
        const char *note_id; /* "": none */
        const char *root_id; /* of the conversation that the note belongs to; "": none */
        bool is_private;     /* a mention in what is not for everybody */
        int64_t at_ms;
        size_t event; /* which one of the batch told it */
        struct decision decision;
};

struct arrivals {
        struct rpc_call *c;
        struct arrival *items;
        size_t n, room;
};

void arrivals_start(struct arrivals *a, struct rpc_call *c);
/* What one does oneself, one is not told, unless it concerns the security of the account; what was nobody's doing (an
 * erased member's likes go) undoes nothing. */
void arrivals_add(struct arrivals *a, const struct arrival *arrival);
/* Decides of each where it is told. Asks other services: before the transaction. */
SN_CHECKED sn_status arrivals_decide(struct arrivals *a);
/* In the transaction that stores the position of the events; without those of the first events, which had their effect.
 * Each actor counts once in a group, and somebody who undid what was read, and did it again, is not told again. */
SN_CHECKED sn_status arrivals_store(struct arrivals *a, struct db_tx *tx, size_t n_done);

int64_t arrival_time_ms(const bus_event *event);
/* "like:ID": what was done to the same is told together. */
char *arrival_key(struct arena *arena, enum notification_type type, const char *id);

#endif
