/* Frames by hand, and the reader. */
#include "http/test_http2_support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16384 };

const char *h2_case = "";

void h2_number(struct buf *b, uint32_t number)
{
        for (int shift = 24; shift >= 0; shift -= 8) {
                buf_append_char(b, (char)(number >> shift));
        }
}

void h2_frame(struct buf *b, int type, int flags, uint32_t stream, const void *payload, size_t len)
{
        const char head[] = {(char)(len >> 16), (char)(len >> 8), (char)len, (char)type, (char)flags};
        buf_append(b, head, sizeof(head));
        h2_number(b, stream);
        if (len > 0) {
                buf_append(b, payload, len);
        }
}

void h2_begin(struct buf *b)
{
        buf_init(b, 64 << 20);
        buf_append(b, NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN);
        h2_frame(b, NGHTTP2_SETTINGS, 0, 0, "\0\1\0\0\0\0", 6); /* no table: each response can be decoded separately */
}

/* RFC 7541, 5.1, with a prefix of 7 bits. */
static void put_length(struct buf *block, size_t len)
{
        if (len < 127) {
                buf_append_char(block, (char)len);
                return;
        }
        buf_append_char(block, 127);
        for (len -= 127; len >= 128; len /= 128) {
                buf_append_char(block, (char)(len % 128 + 128));
        }
        buf_append_char(block, (char)len);
}

void h2_field(struct buf *block, const char *name, const char *value)
{
        buf_append_char(block, 0);
        put_length(block, strlen(name));
        buf_append_c(block, name);
        put_length(block, strlen(value));
        buf_append_c(block, value);
}

void h2_get(struct buf *block, const char *path)
{
        buf_init(block, 1 << 20);
        h2_field(block, ":method", "GET");
        h2_field(block, ":scheme", "http");
        h2_field(block, ":authority", "localhost");
        h2_field(block, ":path", path);
}

void h2_headers(struct buf *b, int flags, uint32_t stream, const struct buf *block)
{
        size_t at = 0;
        do {
                size_t n = block->len - at < PIECE ? block->len - at : PIECE;
                bool last = at + n == block->len;
                h2_frame(b, at == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION,
                         last ? flags : flags & ~NGHTTP2_FLAG_END_HEADERS, stream, block->data + at, n);
                at += n;
        } while (at < block->len);
}

void h2_request(struct buf *b, uint32_t stream, const char *path)
{
        struct buf block;
        h2_get(&block, path);
        h2_headers(b, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, stream, &block);
        buf_free(&block);
}

int h2_open(const struct fixture *f)
{
        return client_open(f);
}

void h2_send(int fd, struct buf *b)
{
        assert_false(b->overflow);
        client_send(fd, b->data, b->len);
        buf_free(b);
}

static bool read_all(int fd, unsigned char *into, size_t len)
{
        for (size_t got = 0; got < len;) {
                ssize_t n = recv(fd, into + got, len - got, 0);
                if (n < 0 && errno != ECONNRESET) {
                        fail_msg("%s: the server does not answer: %s", h2_case, strerror(errno));
                }
                if (n <= 0) {
                        return false;
                }
                got += (size_t)n;
        }
        return true;
}

static uint32_t number_at(const unsigned char *p)
{
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool h2_read(int fd, struct h2_frame *frame)
{
        unsigned char head[9];
        if (!read_all(fd, head, sizeof(head))) {
                return false;
        }
        *frame = (struct h2_frame){.type = head[3], .flags = head[4], .stream = number_at(head + 5)};
        frame->len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        assert_true(frame->len <= sizeof(frame->payload));
        if (!read_all(fd, frame->payload, frame->len)) {
                return false;
        }
        frame->code = frame->type == NGHTTP2_RST_STREAM && frame->len == 4 ? number_at(frame->payload)
                      : frame->type == NGHTTP2_GOAWAY && frame->len >= 8   ? number_at(frame->payload + 4)
                                                                           : 0;
        return true;
}

void h2_read_until(int fd, int type, struct h2_frame *frame)
{
        do {
                if (!h2_read(fd, frame)) {
                        fail_msg("the connection ended without a frame of type %d", type);
                }
        } while (frame->type != type);
}

int h2_read_goaway(int fd)
{
        static struct h2_frame frame;
        int code = -1;
        while (h2_read(fd, &frame)) {
                code = frame.type == NGHTTP2_GOAWAY ? (int)frame.code : code;
        }
        close(fd);
        return code;
}

static int status_of(nghttp2_hd_inflater *inflater, const struct h2_frame *frame)
{
        int status = 0, flags;
        const uint8_t *at = frame->payload;
        size_t left = frame->len;
        for (;;) {
                nghttp2_nv nv;
                ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, at, left, 1);
                assert_true(n >= 0);
                at += n;
                left -= (size_t)n;
                if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0 && strcmp((char *)nv.name, ":status") == 0) {
                        status = (int)strtol((char *)nv.value, NULL, 10);
                }
                if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
                        nghttp2_hd_inflate_end_headers(inflater);
                        return status;
                }
        }
}

int h2_read_status(int fd, uint32_t stream)
{
        static struct h2_frame frame;
        nghttp2_hd_inflater *inflater;
        int status = 0;
        assert_int_equal(nghttp2_hd_inflate_new(&inflater), 0);
        do {
                if (!h2_read(fd, &frame)) {
                        fail_msg("%s: the connection ended without an answer", h2_case);
                }
                if (frame.type == NGHTTP2_HEADERS) {
                        int found = status_of(inflater, &frame);
                        status = frame.stream == stream && found != 0 ? found : status;
                }
                if (frame.type == NGHTTP2_RST_STREAM && frame.stream == stream) {
                        status = -1 - (int)frame.code;
                        break;
                }
                if (frame.type == NGHTTP2_GOAWAY) {
                        status = -1000 - (int)frame.code;
                        break;
                }
        } while (frame.stream != stream || frame.type == NGHTTP2_WINDOW_UPDATE ||
                 (frame.flags & NGHTTP2_FLAG_END_STREAM) == 0);
        nghttp2_hd_inflate_del(inflater);
        return status;
}
