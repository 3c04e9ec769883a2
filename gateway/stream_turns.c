/* Owns delivering several events of a log concurrently, each on its own thread: calls to services for one event do
 * not wait for those of the previous one. Posting is done in order. */
#include <stdlib.h>
#include "base/clock.h"
#include "gateway/stream_batch.h"

struct stream_turns {
        struct stream_log *log;
        bus_event **events;
        size_t n;
        stream_turn_run *begin, *deliver;
        pthread_mutex_t lock;
        pthread_cond_t passed;
        size_t taken, turn; /* events taken by a thread; the event whose turn it is: all before it are delivered */
        int users;
};

struct helper {
        struct work work;
        struct stream_turns *turns;
};

/* Returns how many are left. */
static int add_users(struct stream_turns *turns, int more)
{
        pthread_mutex_lock(&turns->lock);
        int n = turns->users += more;
        pthread_mutex_unlock(&turns->lock);
        return n;
}

static void leave_turn(struct stream_turns *turns)
{
        if (add_users(turns, -1) == 0) {
                (void)pthread_cond_destroy(&turns->passed);
                (void)pthread_mutex_destroy(&turns->lock);
                free(turns);
        }
}

/* False if none is left. */
static bool take_turn(struct stream_turns *turns, struct stream_turn *turn)
{
        pthread_mutex_lock(&turns->lock);
        bool left = turns->taken < turns->n && !bus_feed_stopping(turns->log->feed);
        if (left) {
                *turn = (struct stream_turn){turns, turns->taken, turns->log, turns->events[turns->taken]};
                turns->taken++;
                turns->begin(turn);
        }
        pthread_mutex_unlock(&turns->lock);
        return left;
}

int64_t stream_turn_await(const struct stream_turn *turn)
{
        struct stream_turns *turns = turn->turns;
        int64_t since_us = clock_monotonic_us();

        pthread_mutex_lock(&turns->lock);
        while (turns->turn < turn->index) {
                pthread_cond_wait(&turns->passed, &turns->lock);
        }
        pthread_mutex_unlock(&turns->lock);
        return (clock_monotonic_us() - since_us) / 1000;
}

static void pass_on(const struct stream_turn *turn)
{
        struct stream_turns *turns = turn->turns;

        pthread_mutex_lock(&turns->lock);
        turns->turn++;
        pthread_cond_broadcast(&turns->passed);
        pthread_mutex_unlock(&turns->lock);
}

static void deliver_some(struct stream_turns *turns)
{
        struct stream_turn turn;

        while (take_turn(turns, &turn)) {
                turns->deliver(&turn);
                pass_on(&turn);
        }
}

static void help(struct work *work, bool expired)
{
        struct helper *helper = (struct helper *)work;

        deliver_some(helper->turns);
        leave_turn(helper->turns);
        free(helper);
}

static void ask_for_help(struct stream_turns *turns)
{
        struct helper *helper = calloc(1, sizeof(*helper));

        if (helper == NULL) {
                abort();
        }
        *helper = (struct helper){.work = {.run = help}, .turns = turns};
        (void)add_users(turns, 1);
        if (!workers_submit(turns->log->hub->helpers, &helper->work)) {
                (void)add_users(turns, -1); /* the feed's own thread is still there */
                free(helper);
        }
}

/* Waits until all taken events are delivered; helpers that start only now find none left. */
static void await_all(struct stream_turns *turns)
{
        pthread_mutex_lock(&turns->lock);
        turns->n = turns->taken;
        while (turns->turn < turns->taken) {
                pthread_cond_wait(&turns->passed, &turns->lock);
        }
        pthread_mutex_unlock(&turns->lock);
}

void stream_turns_deliver(struct stream_log *log, bus_event **events, size_t n, stream_turn_run *begin,
                          stream_turn_run *deliver)
{
        struct stream_turns *turns = calloc(1, sizeof(*turns));

        if (turns == NULL) {
                abort();
        }
        *turns =
            (struct stream_turns){.log = log, .events = events, .n = n, .begin = begin, .deliver = deliver, .users = 1};
        pthread_mutex_init(&turns->lock, NULL);
        pthread_cond_init(&turns->passed, NULL);
        for (size_t i = 1; i < n && i < STREAM_EVENTS_AT_ONCE; i++) {
                ask_for_help(turns);
        }
        deliver_some(turns);
        await_all(turns);
        leave_turn(turns);
}
