/* Bytes from a client → a request head and a chunked body. Parsed as a whole, a byte at a time, and split as the first
 * byte selects, the result must be the same; and accepted input must be valid by RFC 9112, according to a simpler
 * check. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz/must.h"
#include "http/chunked.h"
#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_HEAD_BYTES = 2048, MAX_BODY_BYTES = 1 << 16 };

static size_t next_cut(size_t at, size_t len, unsigned *seed)
{
        *seed = *seed * 1103515245u + 12345u;
        size_t n = 1 + (*seed >> 16) % 13;
        return len - at < n ? len : at + n;
}

/* Each piece is allocated separately, so that reading past its end is detected. */
static enum http_parse parse_in_pieces(struct http_head *h, const char *bytes, size_t len, unsigned seed)
{
        enum http_parse result = HTTP_PARSE_MORE;
        http_head_init(h);
        for (size_t at = 0; at < len && result == HTTP_PARSE_MORE;) {
                at = seed == 0 ? at + 1 : next_cut(at, len, &seed);
                char *copy = malloc(at);
                MUST(copy != NULL);
                memcpy(copy, bytes, at);
                result = http_head_parse(h, copy, at, MAX_HEAD_BYTES);
                free(copy);
        }
        return result;
}

static void check_same(const struct http_head *a, const struct http_head *b)
{
        MUST(a->status == b->status && a->detail == b->detail && a->len == b->len && a->line == b->line);
        MUST(a->n_fields == b->n_fields && memcmp(a->fields, b->fields, a->n_fields * sizeof(a->fields[0])) == 0);
        MUST(a->method.len == b->method.len && memcmp(&a->path, &b->path, sizeof(a->path)) == 0);
        MUST(memcmp(&a->query, &b->query, sizeof(a->query)) == 0 && a->content_length == b->content_length);
        MUST(a->chunked == b->chunked && a->keep_alive == b->keep_alive);
}

static void check_span(const struct http_head *h, const char *bytes, struct http_span span)
{
        MUST(span.at <= h->len && span.len < h->len - span.at);
        for (uint32_t i = 0; i < span.len; i++) {
                unsigned char c = (unsigned char)bytes[span.at + i];
                MUST((c >= 0x20 || c == '\t') && c != 0x7F);
        }
}

/* The shortest is "G / HTTP/1.0" and two line ends. */
static void check_head(const struct http_head *h, const char *bytes)
{
        MUST(h->len <= MAX_HEAD_BYTES && h->len >= 16 && memcmp(bytes + h->len - 4, "\r\n\r\n", 4) == 0);
        MUST(memmem(bytes + 2, h->len - 3, "\r\n\r\n", 4) == NULL || h->len < 6);
        MUST(h->method.len > 0 && h->n_fields <= HTTP_MAX_HEADERS && !(h->chunked && h->lengths > 0));
        check_span(h, bytes, h->method);
        check_span(h, bytes, h->path);
        check_span(h, bytes, h->query);
        MUST(h->path.len == 0 || bytes[h->path.at] == '/' || bytes[h->path.at] == '*');
        for (uint32_t i = 0; i < h->n_fields; i++) {
                struct http_span name = h->fields[i].name, value = h->fields[i].value;
                check_span(h, bytes, name);
                check_span(h, bytes, value);
                MUST(name.len > 0 && bytes[name.at + name.len] == ':' && bytes[name.at - 1] == '\n');
                MUST(memchr(bytes + name.at, ' ', name.len) == NULL && name.at + name.len < value.at);
        }
}

/* seed 1: all at once; returns how many bytes were used. */
static size_t decode(const char *bytes, size_t len, unsigned seed, struct http_chunked *d, struct buf *out,
                     enum http_parse *result)
{
        size_t at = 0;
        http_chunked_init(d);
        *result = HTTP_PARSE_MORE;
        while (at < len && *result == HTTP_PARSE_MORE) {
                size_t end = seed == 1 ? len : seed == 0 ? at + 1 : next_cut(at, len, &seed);
                char *copy = malloc(end - at);
                MUST(copy != NULL);
                memcpy(copy, bytes + at, end - at);
                struct str in = {copy, end - at}, data;
                while (in.len > 0 && *result == HTTP_PARSE_MORE) {
                        *result = http_chunked_next(d, &in, &data);
                        MUST(data.len > 0 || in.len == 0 || *result != HTTP_PARSE_MORE);
                        buf_append(out, data.ptr, data.len);
                }
                at = end - in.len;
                free(copy);
        }
        return at;
}

static void check_body(const char *bytes, size_t len, unsigned seed)
{
        const unsigned seeds[] = {1, 0, seed + 2};
        struct http_chunked d[3];
        struct buf out[3];
        enum http_parse results[3];
        size_t used[3];
        for (int i = 0; i < 3; i++) {
                buf_init(&out[i], MAX_BODY_BYTES);
                used[i] = decode(bytes, len, seeds[i], &d[i], &out[i], &results[i]);
                MUST(results[i] == results[0] && used[i] == used[0] && d[i].detail == d[0].detail);
                MUST(out[i].len == out[0].len &&
                     (out[0].len == 0 || memcmp(out[i].data, out[0].data, out[0].len) == 0));
        }
        MUST(out[0].len <= used[0]);
        MUST(results[0] != HTTP_PARSE_DONE || (used[0] >= 5 && memcmp(bytes + used[0] - 4, "\r\n\r\n", 4) == 0));
        MUST(results[0] != HTTP_PARSE_MORE || used[0] == len);
        MUST((results[0] == HTTP_PARSE_REFUSED) == (d[0].status == 400));
        for (int i = 0; i < 3; i++) {
                buf_free(&out[i]);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2) {
                return 0;
        }
        const char *bytes = (const char *)data + 1;
        size_t len = size - 1;
        struct http_head whole, bytewise, cut;
        http_head_init(&whole);
        enum http_parse result = http_head_parse(&whole, bytes, len, MAX_HEAD_BYTES);
        MUST(parse_in_pieces(&bytewise, bytes, len, 0) == result);
        MUST(parse_in_pieces(&cut, bytes, len, data[0] + 1u) == result);
        check_same(&whole, &bytewise);
        check_same(&whole, &cut);
        MUST((result == HTTP_PARSE_REFUSED) == (whole.status >= 400 && whole.detail != NULL));
        if (result == HTTP_PARSE_DONE) {
                check_head(&whole, bytes);
        }
        if (result == HTTP_PARSE_DONE && whole.chunked) {
                check_body(bytes + whole.len, len - whole.len, data[0]);
        } else {
                check_body(bytes, len, data[0]);
        }
        return 0;
}
