/* The lock under which the transactions of this process assign positions, one at a time. One that found the head of
 * the log locked in the database would leave its events to the relay, which costs them another transaction, so it is
 * worth a short wait. Whoever has it may be stuck: nobody relies on getting it. Private to bus/. */
#ifndef BUS_HEAD_LOCK_H
#define BUS_HEAD_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define BUS_HEAD_LOCK_WAIT_US 2000 /* the longest wait, since the transaction that waits holds locks */
#define BUS_HEAD_LOCK_HELD_US 1000 /* nobody waits while it is held for longer than this: COMMITs are slow */

struct bus_head_lock {
        pthread_mutex_t mutex;
        pthread_cond_t released;
        bool taken;
        int64_t since_us;
        int64_t held_us; /* how long it is held, as a moving average */
};

void bus_head_lock_init(struct bus_head_lock *lock);
void bus_head_lock_destroy(struct bus_head_lock *lock);
/* Takes it if it is free. Otherwise *worth_waiting: whether bus_head_lock_take would wait for it. */
bool bus_head_lock_try(struct bus_head_lock *lock, bool *worth_waiting);
/* False: another thread still has it. */
bool bus_head_lock_take(struct bus_head_lock *lock);
/* After the end of the transaction, however it ended. */
void bus_head_lock_release(struct bus_head_lock *lock);

#endif
