/* Deadlines of many connections, coarse and cheap: a wheel of slots, one a tick. A timer is touched when it is set and
 * when it is due, and once a turn when it is due after more than a turn. One thread. */
#ifndef HTTP_WHEEL_H
#define HTTP_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_WHEEL_SLOTS = 256 };

struct http_timer {
        struct http_timer *next, **at; /* at NULL: not set */
        int64_t due_us;
};

struct http_wheel {
        int64_t tick_us;
        int64_t now; /* in ticks; all up to it has been looked at */
        struct http_timer *slots[HTTP_WHEEL_SLOTS];
};

void http_wheel_init(struct http_wheel *w, int64_t tick_us, int64_t now_us);
/* Sets the timer, or moves it when it is due sooner than it was. One that is set to fire earlier stays as it is: who is
 * called looks whether it is time, and sets it again. So a deadline that only ever moves away costs nothing. */
void http_wheel_set(struct http_wheel *w, struct http_timer *timer, int64_t due_us);
void http_wheel_clear(struct http_timer *timer);
/* Calls fire for each timer that is due, at most a tick late; it is no longer set then. fire may end its own timer's
 * owner and no other's. */
void http_wheel_turn(struct http_wheel *w, int64_t now_us, void (*fire)(struct http_timer *timer, int64_t now_us));
int64_t http_wheel_next_us(const struct http_wheel *w); /* when the next tick begins */

#endif
