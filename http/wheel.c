/* A hashed timer wheel. */
#include "http/wheel.h"

#include <stddef.h>

void http_wheel_init(struct http_wheel *w, int64_t tick_us, int64_t now_us)
{
        *w = (struct http_wheel){.tick_us = tick_us, .now = now_us / tick_us};
}

static void link_first(struct http_timer **list, struct http_timer *timer)
{
        timer->next = *list;
        timer->at = list;
        if (timer->next != NULL) {
                timer->next->at = &timer->next;
        }
        *list = timer;
}

void http_wheel_clear(struct http_timer *timer)
{
        if (timer->at == NULL) {
                return;
        }
        *timer->at = timer->next;
        if (timer->next != NULL) {
                timer->next->at = timer->at;
        }
        timer->at = NULL;
}

/* The first tick that starts at or after the time; the next tick if it is in the past. */
static int64_t tick_of(const struct http_wheel *w, int64_t due_us)
{
        int64_t tick = (due_us + w->tick_us - 1) / w->tick_us;
        return tick > w->now ? tick : w->now + 1;
}

void http_wheel_set(struct http_wheel *w, struct http_timer *timer, int64_t due_us)
{
        if (timer->at != NULL && timer->due_us <= due_us) {
                return;
        }
        http_wheel_clear(timer);
        timer->due_us = due_us;
        link_first(&w->slots[tick_of(w, due_us) % HTTP_WHEEL_SLOTS], timer);
}

static void turn_one(struct http_wheel *w, int64_t now_us, void (*fire)(struct http_timer *timer, int64_t now_us))
{
        struct http_timer **slot = &w->slots[w->now % HTTP_WHEEL_SLOTS], *list = *slot;
        *slot = NULL;
        if (list != NULL) {
                list->at = &list;
        }
        while (list != NULL) {
                struct http_timer *timer = list;
                http_wheel_clear(timer);
                if (timer->due_us <= w->now * w->tick_us) {
                        fire(timer, now_us);
                } else {
                        link_first(slot, timer); /* in a later revolution */
                }
        }
}

void http_wheel_turn(struct http_wheel *w, int64_t now_us, void (*fire)(struct http_timer *timer, int64_t now_us))
{
        int64_t until = now_us / w->tick_us;
        if (until - w->now > HTTP_WHEEL_SLOTS) {
                w->now = until - HTTP_WHEEL_SLOTS; /* the thread slept for more than a revolution: visiting each slot
                                                      once is enough */
        }
        while (w->now < until) {
                w->now++;
                turn_one(w, now_us, fire);
        }
}

int64_t http_wheel_next_us(const struct http_wheel *w)
{
        return (w->now + 1) * w->tick_us;
}
