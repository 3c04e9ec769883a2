/* Coarse, cheap deadlines for many connections: a timer wheel with one slot per tick. A timer is touched when it is
 * set, when it fires, and once per revolution if it is further away. Single-threaded. */
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
        int64_t now; /* in ticks; everything up to it has been processed */
        struct http_timer *slots[HTTP_WHEEL_SLOTS];
};

void http_wheel_init(struct http_wheel *w, int64_t tick_us, int64_t now_us);
/* Sets the timer, or moves it if the new time is earlier. A timer set to an earlier time is left alone: the callback
 * checks whether it is really due and sets it again. So a deadline that only ever moves later costs nothing. */
void http_wheel_set(struct http_wheel *w, struct http_timer *timer, int64_t due_us);
void http_wheel_clear(struct http_timer *timer);
/* Calls fire for each timer that is due, at most one tick late, after unsetting it. fire may free the timer's owner,
 * but no other timer. */
void http_wheel_turn(struct http_wheel *w, int64_t now_us, void (*fire)(struct http_timer *timer, int64_t now_us));
int64_t http_wheel_next_us(const struct http_wheel *w); /* when the next tick starts */

#endif
