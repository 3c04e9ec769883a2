/* Owns waiting for the right to assign positions. */
#include "bus/head_lock.h"

#include "base/clock.h"
#include "base/ticker.h"

void bus_head_lock_init(struct bus_head_lock *lock)
{
        *lock = (struct bus_head_lock){0};
        (void)pthread_mutex_init(&lock->mutex, NULL);
        (void)pthread_cond_init(&lock->released, NULL);
}

void bus_head_lock_destroy(struct bus_head_lock *lock)
{
        (void)pthread_cond_destroy(&lock->released);
        (void)pthread_mutex_destroy(&lock->mutex);
}

/* Whether it is usually held for a short time, and whoever has it is not stuck. */
static bool is_worth_waiting(const struct bus_head_lock *lock, int64_t now_us)
{
        return lock->held_us <= BUS_HEAD_LOCK_HELD_US && now_us - lock->since_us <= BUS_HEAD_LOCK_WAIT_US;
}

/* With the mutex held. */
static bool take_if_free(struct bus_head_lock *lock)
{
        bool ours = !lock->taken;

        if (ours) {
                lock->taken = true;
                lock->since_us = clock_monotonic_us();
        }
        return ours;
}

bool bus_head_lock_try(struct bus_head_lock *lock, bool *worth_waiting)
{
        (void)pthread_mutex_lock(&lock->mutex);
        bool ours = take_if_free(lock);

        *worth_waiting = !ours && is_worth_waiting(lock, clock_monotonic_us());
        (void)pthread_mutex_unlock(&lock->mutex);
        return ours;
}

bool bus_head_lock_take(struct bus_head_lock *lock)
{
        int64_t until_us = clock_monotonic_us() + BUS_HEAD_LOCK_WAIT_US;

        (void)pthread_mutex_lock(&lock->mutex);
        while (lock->taken && is_worth_waiting(lock, clock_monotonic_us()) &&
               cond_wait_until(&lock->released, &lock->mutex, until_us)) {
        }
        bool ours = take_if_free(lock);

        (void)pthread_mutex_unlock(&lock->mutex);
        return ours;
}

void bus_head_lock_release(struct bus_head_lock *lock)
{
        (void)pthread_mutex_lock(&lock->mutex);
        lock->held_us += (clock_monotonic_us() - lock->since_us - lock->held_us) / 8;
        lock->taken = false;
        (void)pthread_cond_signal(&lock->released);
        (void)pthread_mutex_unlock(&lock->mutex);
}
