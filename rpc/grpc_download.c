/* Downloads: flows over regions of files. */
#include "rpc/grpc_download.h"

#include <string.h>
#include <unistd.h>

#include "rpc/grpc_chunk.h"

struct download {
        struct http_flow flow; /* first */
        struct buf first;
        size_t first_at;
        struct grpc_region region;
};

/* If the file was truncated, the stream is reset: the client has been told its length. */
static ssize_t download_read(struct http_flow *flow, char *into, size_t size, struct http_response *response)
{
        struct download *d = (struct download *)flow;
        ssize_t n;
        if (d->first_at < d->first.len) {
                size_t some = d->first.len - d->first_at < size ? d->first.len - d->first_at : size;
                memcpy(into, d->first.data + d->first_at, some);
                d->first_at += some;
                n = (ssize_t)some;
        } else {
                n = grpc_region_read(&d->region, into, size);
        }
        flow->ended = d->first_at == d->first.len && d->region.left == 0;
        return n;
}

static void download_close(struct http_flow *flow)
{
        struct download *d = (struct download *)flow;
        buf_free(&d->first);
        close(d->region.fd);
}

struct http_flow *grpc_download_new(struct rpc_call *c, struct http_request *http, struct buf *first)
{
        struct download *d = ARENA_NEW(c->arena, struct download);
        d->flow = (struct http_flow){.read = download_read, .close = download_close};
        d->first = *first;
        d->region = grpc_region_of(c->file->fd, c->file->offset, c->file->length,
                                   contract_chunk_field(c->method->out)->number, http);
        d->region.is_pipe = c->file->is_pipe;
        *first = (struct buf){0};
        c->file = NULL;
        return &d->flow;
}
