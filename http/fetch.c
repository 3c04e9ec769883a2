/* Reads pieces of files that are not in the page cache on separate threads, so that no I/O thread waits for the
 * disk. One piece per exchange is read at a time, and an eventfd tells its loop when it is there. */
#include "http/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
        THREADS = 2,
        QUEUE_MAX = 4096,        /* above it the I/O thread reads the file itself */
        PIECE_BYTES = 512 << 10, /* read at once, since disks prefer long reads */
        READ_BYTES = 64 << 10,
        LOOK_EACH_BYTES = 16 << 10, /* the kernel reads and evicts at least this much together */
};

/* The data of a reader thread, with its own descriptors, since the exchange may end in the meantime. */
struct fetch {
        struct work work; /* first */
        int fd, told;
        int64_t at;
};

static bool is_in_memory(int fd, int64_t at)
{
        char byte;
        const struct iovec one = {&byte, 1};
        /* If this is not supported, assume that it is in memory. */
        return preadv2(fd, &one, 1, at, RWF_NOWAIT) >= 0 || errno != EAGAIN;
}

static size_t in_memory(int fd, int64_t at, size_t wanted)
{
        for (size_t n = 0; n < wanted; n += LOOK_EACH_BYTES) {
                if (!is_in_memory(fd, at + (int64_t)n)) {
                        return n;
                }
        }
        return is_in_memory(fd, at + (int64_t)wanted - 1) ? wanted : wanted - 1;
}

size_t http_fetch_ready(struct http_exchange *x, int fd, int64_t at, size_t wanted)
{
        uint64_t times;
        if (x->fetch == HTTP_FETCH_UNDER_WAY && read(x->fetch_fd, &times, sizeof(times)) < 0) {
                return 0;
        }
        if (x->fetch == HTTP_FETCH_UNDER_WAY ||
            x->fetch == HTTP_FETCH_OVER) { /* not tried again: it may be unreadable */
                x->fetch = HTTP_FETCH_NONE;
                return wanted;
        }
        size_t n = in_memory(fd, at, wanted);
        x->fetch = n == 0 ? HTTP_FETCH_NEEDED : HTTP_FETCH_NONE;
        return n;
}

static void run_fetch(struct work *work, bool expired)
{
        struct fetch *f = (struct fetch *)(void *)work;
        char bytes[READ_BYTES];
        const uint64_t one = 1;
        ssize_t n = 1;
        for (int64_t at = f->at; n > 0 && at < f->at + PIECE_BYTES; at += n) {
                n = pread(f->fd, bytes, sizeof(bytes), at);
        }
        n = write(f->told, &one, sizeof(one));
        (void)n;
        close(f->fd);
        close(f->told);
        free(f);
}

/* Started on first use: most servers never need them. */
static struct workers *readers_of(struct http_server *server)
{
        pthread_mutex_lock(&server->readers_lock);
        if (server->readers == NULL) {
                server->readers = workers_new("files", THREADS, QUEUE_MAX);
        }
        struct workers *readers = server->readers;
        pthread_mutex_unlock(&server->readers_lock);
        return readers;
}

static bool watch_fetch(struct http_exchange *x)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = http_connection_source(x->connection)};
        if (x->fetch_fd < 0) {
                x->fetch_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
                if (x->fetch_fd >= 0 &&
                    epoll_ctl(x->connection->loop->epoll_fd, EPOLL_CTL_ADD, x->fetch_fd, &event) != 0) {
                        close(x->fetch_fd);
                        x->fetch_fd = -1;
                }
        }
        return x->fetch_fd >= 0;
}

static bool submit_fetch(struct http_exchange *x, int fd, int64_t at)
{
        struct workers *readers = readers_of(x->server);
        struct fetch *f = malloc(sizeof(*f));
        if (f == NULL) {
                return false;
        }
        *f = (struct fetch){.work = {.run = run_fetch}, .fd = dup(fd), .told = dup(x->fetch_fd), .at = at};
        if (readers != NULL && f->fd >= 0 && f->told >= 0 && workers_submit(readers, &f->work)) {
                return true;
        }
        if (f->fd >= 0) {
                close(f->fd);
        }
        if (f->told >= 0) {
                close(f->told);
        }
        free(f);
        return false;
}

bool http_fetch_begin(struct http_exchange *x, int fd, int64_t at)
{
        if (x->fetch == HTTP_FETCH_NEEDED) {
                x->fetch = watch_fetch(x) && submit_fetch(x, fd, at) ? HTTP_FETCH_UNDER_WAY : HTTP_FETCH_OVER;
        }
        return x->fetch == HTTP_FETCH_UNDER_WAY;
}

void http_fetch_end(struct http_exchange *x)
{
        if (x->fetch_fd >= 0) {
                epoll_ctl(x->connection->loop->epoll_fd, EPOLL_CTL_DEL, x->fetch_fd, NULL);
                close(x->fetch_fd);
                x->fetch_fd = -1;
        }
}

ssize_t http_flow_read_file(struct http_request *r, int fd, int64_t at, char *into, size_t size)
{
        struct http_exchange *x = (struct http_exchange *)(void *)r;
        size_t ready = http_fetch_ready(x, fd, at, size);
        ssize_t n;
        if (ready == 0 && http_fetch_begin(x, fd, at)) {
                return HTTP_FLOW_WAITS;
        }
        ready = ready > 0 ? ready : http_fetch_ready(x, fd, at, size);
        do {
                n = pread(fd, into, ready, at);
        } while (n < 0 && errno == EINTR);
        return n > 0 ? n : HTTP_FLOW_BROKEN;
}
