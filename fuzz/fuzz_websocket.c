/* Bytes from a client → WebSocket frames. Parsed as a whole, a byte at a time, and split as the first byte selects, the
 * result must be the same; accepted input must be valid by RFC 6455; and frames that a server writes, once masked, must
 * be read unchanged. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/must.h"
#include "http/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_MESSAGE_BYTES = 1000, SAID_BYTES = 1 << 20 };

static void check_event(const struct websocket_event *e)
{
        switch (e->kind) {
        case WEBSOCKET_MORE:
                MUST(e->payload.len == 0);
                return;
        case WEBSOCKET_TEXT:
                MUST(utf8_valid(e->payload.ptr, e->payload.len) && e->payload.len <= MAX_MESSAGE_BYTES);
                return;
        case WEBSOCKET_BINARY:
                MUST(e->payload.len <= MAX_MESSAGE_BYTES);
                return;
        case WEBSOCKET_PING:
        case WEBSOCKET_PONG:
                MUST(e->payload.len <= WEBSOCKET_CONTROL_BYTES);
                return;
        case WEBSOCKET_CLOSE:
                MUST(e->code >= 1000 && e->code <= 4999 && e->payload.len <= WEBSOCKET_CONTROL_BYTES - 2);
                MUST(utf8_valid(e->payload.ptr, e->payload.len));
                return;
        case WEBSOCKET_FAILED:
                MUST(e->code == WEBSOCKET_PROTOCOL_ERROR || e->code == WEBSOCKET_INVALID_DATA ||
                     e->code == WEBSOCKET_TOO_BIG);
                return;
        }
        abort();
}

static size_t next_piece(size_t left, unsigned *seed)
{
        *seed = *seed * 1103515245u + 12345u;
        size_t n = 1 + (*seed >> 16) % 13;
        return left < n ? left : n;
}

/* The parsed frames, as text; each piece is allocated separately, so that reading past its end is detected. */
static void read_all(const char *bytes, size_t len, size_t piece, unsigned seed, struct buf *said)
{
        struct websocket w;
        bool over = false;
        websocket_init(&w, MAX_MESSAGE_BYTES);
        for (size_t at = 0, n; at < len && !over; at += n) {
                n = piece == 0 ? next_piece(len - at, &seed) : piece < len - at ? piece : len - at;
                char *copy = malloc(n);
                MUST(copy != NULL);
                memcpy(copy, bytes + at, n);
                struct str in = {copy, n};
                while (in.len > 0 && !over) {
                        struct websocket_event e = websocket_read(&w, &in);
                        check_event(&e);
                        MUST(e.kind != WEBSOCKET_MORE || in.len == 0);
                        if (e.kind != WEBSOCKET_MORE) {
                                buf_printf(said, "%d %d %zu ", e.kind, e.code, e.payload.len);
                                buf_append(said, e.payload.ptr, e.payload.len);
                        }
                        over = e.kind == WEBSOCKET_FAILED;
                }
                free(copy);
        }
        websocket_free(&w);
}

static bool same(const struct buf *a, const struct buf *b)
{
        return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* A server's frame contains its payload's length, and there is nothing before or after it. */
static void check_written(const uint8_t *data, size_t size)
{
        struct buf out;
        buf_init(&out, SAID_BYTES);
        websocket_write(&out, WEBSOCKET_OP_BINARY, data, size);
        size_t head = size < 126 ? 2 : size <= UINT16_MAX ? 4 : 10;
        MUST(out.len == head + size && (out.data[1] & 0x80) == 0);
        MUST(size == 0 || memcmp(out.data + head, data, size) == 0);
        buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct buf whole, bytewise, cut;
        if (size < 2) {
                return 0;
        }
        buf_init(&whole, SAID_BYTES);
        buf_init(&bytewise, SAID_BYTES);
        buf_init(&cut, SAID_BYTES);
        read_all((const char *)data + 1, size - 1, size, 0, &whole);
        read_all((const char *)data + 1, size - 1, 1, 0, &bytewise);
        read_all((const char *)data + 1, size - 1, 0, data[0] + 1u, &cut);
        MUST(same(&whole, &bytewise) && same(&whole, &cut));
        check_written(data, size);
        buf_free(&whole);
        buf_free(&bytewise);
        buf_free(&cut);
        return 0;
}
