/* Whose turn it is, among the transactions of this process, to assign positions. One that finds the head of the log
 * locked leaves its events to the relay, which costs them another transaction, so it is worth a short wait. Who has the
 * turn may be stuck: nobody relies on getting it. Private to bus/. */
#ifndef BUS_TURN_H
#define BUS_TURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define BUS_TURN_WAIT_US 2000 /* the longest wait, since the transaction that waits holds locks */
#define BUS_TURN_HELD_US 1000 /* nobody waits while turns last longer than this: COMMITs are slow */

struct bus_turn {
        pthread_mutex_t lock;
        pthread_cond_t given;
        bool taken;
        int64_t since_us;
        int64_t held_us; /* how long a turn lasts, as a moving average */
};

void bus_turn_init(struct bus_turn *turn);
void bus_turn_destroy(struct bus_turn *turn);
/* False: another thread still has it. */
bool bus_turn_take(struct bus_turn *turn);
/* After the end of the transaction, however it ended. */
void bus_turn_give(struct bus_turn *turn);

#endif
