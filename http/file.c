/* Responses that are regions of files, or come through a pipe from another process. Over HTTP/1.1 the kernel moves
 * the bytes; over HTTP/2, which adds frame headers and may encrypt, they are read as the client reads them. */
#include "http/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { BYTES_AT_ONCE = 128 << 10 }; /* then other connections continue */

struct file_flow {
        struct http_flow flow; /* first */
        struct http_exchange *exchange;
};

void http_file_begin(struct http_exchange *x, struct http_response *response)
{
        x->file = response->file;
        bool sends = x->file != NULL && x->file->fd >= 0 && !x->is_head && !http_status_has_no_length(response->status);
        x->file_len = sends ? (size_t)x->file->length : 0;
}

static size_t left(const struct http_exchange *x)
{
        return x->head_len + x->answer_len + x->file_len - x->sent;
}

/* How many bytes can be sent without waiting for the disk. */
static size_t ready_bytes(struct http_exchange *x, size_t wanted)
{
        return x->file->is_pipe ? wanted : http_fetch_ready(x, x->file->fd, x->file->offset, wanted);
}

enum http_sent http_file_send(struct http_exchange *x, int fd)
{
        struct http_file *f = x->file;
        size_t wanted = ready_bytes(x, left(x) < BYTES_AT_ONCE ? left(x) : BYTES_AT_ONCE);
        ssize_t n;
        if (wanted == 0) {
                return HTTP_SENT_PART;
        }
        do {
                off_t at = f->offset;
                unsigned more = wanted < left(x) ? SPLICE_F_MORE : 0;
                n = f->is_pipe ? splice(f->fd, NULL, fd, NULL, wanted, SPLICE_F_NONBLOCK | more)
                               : sendfile(fd, f->fd, &at, wanted);
        } while (n < 0 && errno == EINTR);
        if (n < 0) {
                return errno == EAGAIN ? HTTP_SENT_PART : HTTP_SENT_BROKEN;
        }
        if (n == 0) {
                return HTTP_SENT_BROKEN; /* it is shorter than announced */
        }
        f->offset += n;
        x->sent += (size_t)n;
        return left(x) == 0 ? HTTP_SENT_ALL : HTTP_SENT_PART;
}

static bool watch_pipe(const struct http_exchange *x, int fd)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = http_connection_source(x->connection)};
        return epoll_ctl(x->connection->loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

void http_file_watch(struct http_exchange *x)
{
        struct http_connection *c = x->connection;
        if (x->file == NULL || x->file_watched) {
                return;
        }
        if (x->file->is_pipe) {
                x->file_watched = watch_pipe(x, x->file->fd);
        } else if (x->fetch == HTTP_FETCH_NEEDED && !http_fetch_begin(x, x->file->fd, x->file->offset)) {
                http_loop_add_ready(c->loop, c);
        }
}

void http_file_end(struct http_exchange *x)
{
        http_fetch_end(x);
        if (x->file == NULL || x->file->fd < 0) {
                return;
        }
        if (x->file_watched) {
                epoll_ctl(x->connection->loop->epoll_fd, EPOLL_CTL_DEL, x->file->fd, NULL);
        }
        close(x->file->fd);
        x->file->fd = -1;
}

/* --- HTTP/2 --- */

ssize_t http_flow_read_pipe(struct http_request *r, int fd, char *into, size_t size)
{
        struct http_exchange *x = (struct http_exchange *)(void *)r;
        ssize_t n;
        do {
                n = read(fd, into, size);
        } while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN) {
                x->file_watched = x->file_watched || watch_pipe(x, fd);
                return x->file_watched ? HTTP_FLOW_WAITS : HTTP_FLOW_BROKEN;
        }
        return n > 0 ? n : HTTP_FLOW_BROKEN;
}

static ssize_t read_file(struct http_flow *flow, char *into, size_t size, struct http_response *response)
{
        struct http_exchange *x = ((struct file_flow *)(void *)flow)->exchange;
        struct http_file *f = x->file;
        size_t wanted = left(x) < size ? left(x) : size;
        ssize_t n = f->is_pipe ? http_flow_read_pipe(&x->request, f->fd, into, wanted)
                               : http_flow_read_file(&x->request, f->fd, f->offset, into, wanted);
        if (n < 0) {
                return n;
        }
        f->offset += n;
        x->sent += (size_t)n;
        flow->ended = left(x) == 0;
        return n;
}

static void close_file(struct http_flow *flow)
{
        (void)flow; /* the exchange frees it */
}

struct http_flow *http_file_flow(struct http_exchange *x)
{
        struct file_flow *f = ARENA_NEW(x->request.arena, struct file_flow);
        *f = (struct file_flow){.flow = {.read = read_file, .close = close_file}, .exchange = x};
        return &f->flow;
}
