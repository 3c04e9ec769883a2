/* Owns waiting for a turn to assign positions. */
#include "bus/turn.h"

#include "base/clock.h"
#include "base/ticker.h"

void bus_turn_init(struct bus_turn *turn)
{
        *turn = (struct bus_turn){0};
        (void)pthread_mutex_init(&turn->lock, NULL);
        (void)pthread_cond_init(&turn->given, NULL);
}

void bus_turn_destroy(struct bus_turn *turn)
{
        (void)pthread_cond_destroy(&turn->given);
        (void)pthread_mutex_destroy(&turn->lock);
}

/* Whether turns are usually short, and this one is not stuck. */
static bool is_worth_waiting(const struct bus_turn *turn, int64_t now_us)
{
        return turn->held_us <= BUS_TURN_HELD_US && now_us - turn->since_us <= BUS_TURN_WAIT_US;
}

bool bus_turn_take(struct bus_turn *turn)
{
        int64_t until_us = clock_monotonic_us() + BUS_TURN_WAIT_US;

        (void)pthread_mutex_lock(&turn->lock);
        while (turn->taken && is_worth_waiting(turn, clock_monotonic_us()) &&
               cond_wait_until(&turn->given, &turn->lock, until_us)) {
        }
        bool ours = !turn->taken;

        if (ours) {
                turn->taken = true;
                turn->since_us = clock_monotonic_us();
        }
        (void)pthread_mutex_unlock(&turn->lock);
        return ours;
}

void bus_turn_give(struct bus_turn *turn)
{
        (void)pthread_mutex_lock(&turn->lock);
        turn->held_us += (clock_monotonic_us() - turn->since_us - turn->held_us) / 8;
        turn->taken = false;
        (void)pthread_cond_signal(&turn->given);
        (void)pthread_mutex_unlock(&turn->lock);
}
