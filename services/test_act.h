/* Things that members do in tests which other things overtake. */
#ifndef SERVICES_TEST_ACT_H
#define SERVICES_TEST_ACT_H

#include <pthread.h>
#include <libpq-fe.h>
#include "base/uuid.h"
#include "services/test_support.h"

/* An action that adds an item to a list; its ID there. */
struct act {
        const char *actor;
        const struct rpc_method *method;
        const char *id, *text;
        const char *item; /* NULL: the ID in the response */
        char made[UUID_SIZE];
        sn_status status;
        pthread_t thread;
};

/* Any thread: a start routine for one, which takes a struct act. */
void *act_do(void *act);
/* A minute, for IDs and times of rows (IDs never go back: each time another one). Items that old are recorded only
 * because they are not settled. */
void act_a_minute_later(struct act *act);
/* Has done everything except its row, which waits for a lock: the row itself shows that it waits. */
PGconn *act_hold_up(const char *database, const char *table, const char *condition, struct act *act);
void act_let_go(PGconn *pg, const char *database, const char *table, struct act *act);

#endif
