/* The thread of the gRPC client: takes calls, waits for sockets, watches deadlines. It runs while there are
 * channels. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/grpc_client.h"
#include "rpc/grpc_relay.h"

enum { EVENTS_AT_ONCE = 64, TICK_US = 10000, RELAY_TAG = 1 };

struct grpc_loop {
        pthread_t thread;
        int epoll_fd, wake_fd;
        atomic_bool quit;
        int64_t now_us;
        struct http_wheel wheel;
        struct sonet_grpc_channel *channels;
        _Atomic(struct grpc_task *) tasks; /* newest first */
};

static pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;
static struct grpc_loop *process_loop;
static int n_users;

/* ---- From other threads ---- */

static void wake_loop(struct grpc_loop *loop)
{
        uint64_t one = 1;
        ssize_t written = write(loop->wake_fd, &one, sizeof(one)); /* edge-triggered: never read, never full */
        (void)written;
}

void grpc_loop_give(struct grpc_loop *loop, struct grpc_task *task)
{
        struct grpc_task *first = atomic_load_explicit(&loop->tasks, memory_order_relaxed);
        do {
                task->next = first;
        } while (!atomic_compare_exchange_weak_explicit(&loop->tasks, &first, task, memory_order_release,
                                                        memory_order_relaxed));
        if (first == NULL) { /* otherwise the loop was already woken */
                wake_loop(loop);
        }
}

/* ---- On the thread ---- */

int64_t grpc_loop_now_us(const struct grpc_loop *loop)
{
        return loop->now_us;
}

void grpc_loop_set(struct grpc_loop *loop, struct grpc_timer *timer, int64_t due_us)
{
        http_wheel_set(&loop->wheel, &timer->timer, due_us);
}

bool grpc_loop_watch(struct grpc_loop *loop, int fd, struct grpc_link *link)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = link};
        return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* The lowest bit distinguishes relays from links, whose addresses are even. */
bool grpc_loop_watch_relay(struct grpc_loop *loop, int fd, struct grpc_relay *relay)
{
        struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.u64 = (uintptr_t)relay | RELAY_TAG};
        return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void grpc_loop_add_channel(struct grpc_loop *loop, struct sonet_grpc_channel *channel)
{
        channel->next = loop->channels;
        channel->at = &loop->channels;
        if (channel->next != NULL) {
                channel->next->at = &channel->next;
        }
        loop->channels = channel;
}

void grpc_loop_remove_channel(struct sonet_grpc_channel *channel)
{
        *channel->at = channel->next;
        if (channel->next != NULL) {
                channel->next->at = channel->at;
        }
}

static void run_tasks(struct grpc_loop *loop)
{
        struct grpc_task *task = atomic_exchange_explicit(&loop->tasks, NULL, memory_order_acquire), *oldest = NULL;
        while (task != NULL) {
                struct grpc_task *next = task->next;
                task->next = oldest;
                oldest = task;
                task = next;
        }
        while (oldest != NULL) {
                struct grpc_task *next = oldest->next; /* it may be freed after it has run */
                oldest->run(oldest);
                oldest = next;
        }
}

/* Everything that the calls of this round send goes out together. */
static void flush_links(struct grpc_loop *loop)
{
        for (struct sonet_grpc_channel *channel = loop->channels; channel != NULL; channel = channel->next) {
                for (struct grpc_link *link = channel->links, *next; link != NULL; link = next) {
                        next = link->next;
                        if (link->to_flush || link->broken) {
                                grpc_link_flush(link);
                        }
                }
        }
}

static void timer_due(struct http_timer *timer, int64_t now_us)
{
        struct grpc_timer *owner = (struct grpc_timer *)(void *)timer;
        owner->due(owner, now_us);
}

/* While anything is running, the timer wheel runs. */
static bool is_busy(const struct grpc_loop *loop)
{
        for (const struct sonet_grpc_channel *channel = loop->channels; channel != NULL; channel = channel->next) {
                if (channel->attempting || channel->waiting != NULL) {
                        return true;
                }
                for (const struct grpc_link *link = channel->links; link != NULL; link = link->next) {
                        if (link->calls != NULL) {
                                return true;
                        }
                }
        }
        return false;
}

static bool has_links(const struct grpc_loop *loop)
{
        for (const struct sonet_grpc_channel *channel = loop->channels; channel != NULL; channel = channel->next) {
                if (channel->links != NULL) {
                        return true;
                }
        }
        return false;
}

static int wait_ms(const struct grpc_loop *loop)
{
        if (!is_busy(loop)) {
                return has_links(loop) ? GRPC_IDLE_LOOK_US / 1000 : -1;
        }
        int64_t left_us = http_wheel_next_us(&loop->wheel) - clock_monotonic_us();
        return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

/* A link's event may end relays, whose own events must have been handled by then. */
static void work_on(const struct epoll_event *events, int n)
{
        for (int i = 0; i < n; i++) {
                if ((events[i].data.u64 & RELAY_TAG) != 0) {
                        grpc_relay_event((struct grpc_relay *)(uintptr_t)(events[i].data.u64 & ~(uint64_t)RELAY_TAG),
                                         events[i].events);
                }
        }
        for (int i = 0; i < n; i++) {
                if ((events[i].data.u64 & RELAY_TAG) == 0 && events[i].data.ptr != NULL) { /* the wake-up descriptor */
                        grpc_link_event(events[i].data.ptr, events[i].events);
                }
        }
}

static void *loop_main(void *arg)
{
        struct grpc_loop *loop = arg;
        struct epoll_event events[EVENTS_AT_ONCE];
        pthread_setname_np(pthread_self(), "grpc-client");
        log_from_event_loop();
        while (!atomic_load(&loop->quit)) {
                int n = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, wait_ms(loop));
                loop->now_us = clock_monotonic_us();
                work_on(events, n);
                run_tasks(loop);
                http_wheel_turn(&loop->wheel, loop->now_us, timer_due);
                flush_links(loop);
        }
        return NULL;
}

/* ---- Lifetime ---- */

static void loop_free(struct grpc_loop *loop)
{
        if (loop->epoll_fd >= 0) {
                close(loop->epoll_fd);
        }
        if (loop->wake_fd >= 0) {
                close(loop->wake_fd);
        }
        free(loop);
}

/* Signals are handled by the main thread. */
static bool start_thread(struct grpc_loop *loop)
{
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        bool started = pthread_create(&loop->thread, NULL, loop_main, loop) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return started;
}

static struct grpc_loop *loop_new(void)
{
        struct grpc_loop *loop = calloc(1, sizeof(*loop));
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
        if (loop == NULL) {
                return NULL;
        }
        loop->now_us = clock_monotonic_us();
        http_wheel_init(&loop->wheel, TICK_US, loop->now_us);
        loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (loop->epoll_fd < 0 || loop->wake_fd < 0 ||
            epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0 || !start_thread(loop)) {
                loop_free(loop);
                return NULL;
        }
        return loop;
}

struct grpc_loop *grpc_loop_acquire(void)
{
        pthread_mutex_lock(&process_lock);
        if (process_loop == NULL) {
                process_loop = loop_new();
        }
        struct grpc_loop *loop = process_loop;
        n_users += loop != NULL;
        pthread_mutex_unlock(&process_lock);
        return loop;
}

void grpc_loop_release(struct grpc_loop *loop)
{
        pthread_mutex_lock(&process_lock);
        if (--n_users == 0) {
                process_loop = NULL;
                atomic_store(&loop->quit, true);
                wake_loop(loop);
                pthread_join(loop->thread, NULL);
                loop_free(loop);
        }
        pthread_mutex_unlock(&process_lock);
}
