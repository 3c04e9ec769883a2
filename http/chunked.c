/* A state machine, one byte at a time except for the data. A chunk size has at most 15 digits, so that it cannot
 * overflow; the overhead around the data is limited, so that a small body cannot be expensive to parse. */
#include "http/chunked.h"

#include <string.h>

enum { SIZE_DIGITS_MAX = 15, OVERHEAD_BYTES_MAX = 16 << 10 };

enum state {
        SIZE,
        BLANK,     /* after the size: an extension must follow */
        EXTENSION, /* to the end of the line */
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILER, /* at the start of a line */
        TRAILER_NAME,
        TRAILER_VALUE,
        TRAILER_LF,
        LAST_LF,
        END,
};

void http_chunked_init(struct http_chunked *d)
{
        *d = (struct http_chunked){.state = SIZE};
}

static enum http_parse refuse_chunks(struct http_chunked *d, const char *detail)
{
        d->status = 400;
        d->detail = detail;
        return HTTP_PARSE_REFUSED;
}

static enum http_parse refuse_chunk(struct http_chunked *d)
{
        return refuse_chunks(d, "The body's chunks are malformed.");
}

static enum http_parse go(struct http_chunked *d, enum state state)
{
        d->state = state;
        return HTTP_PARSE_MORE;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9') {
                return c - '0';
        }
        c = (char)(c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_text(char c)
{
        return ((unsigned char)c >= 0x20 && c != 0x7F) || c == '\t';
}

static bool is_name_char(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static enum http_parse take_size(struct http_chunked *d, char c)
{
        int digit = hex_value(c);
        if (digit >= 0) {
                d->has_size = true;
                d->left = d->left * 16 + (uint64_t)digit;
                d->overhead += d->left == 0;
                d->digits += d->left != 0;
                return d->digits <= SIZE_DIGITS_MAX ? HTTP_PARSE_MORE
                                                    : refuse_chunks(d, "A chunk of the body is too large.");
        }
        if (!d->has_size) {
                return refuse_chunk(d);
        }
        return c == '\r'               ? go(d, SIZE_LF)
               : c == ';'              ? go(d, EXTENSION)
               : c == ' ' || c == '\t' ? go(d, BLANK)
                                       : refuse_chunk(d);
}

static enum http_parse end_size_line(struct http_chunked *d)
{
        d->has_size = false;
        d->digits = 0;
        return go(d, d->left > 0 ? DATA : TRAILER);
}

static enum http_parse expect_state(struct http_chunked *d, bool right, enum state then)
{
        return right ? go(d, then) : refuse_chunk(d);
}

static enum http_parse take_text(struct http_chunked *d, char c, enum state at_end)
{
        d->overhead++;
        return c == '\r' ? go(d, at_end) : expect_state(d, is_text(c), (enum state)d->state);
}

static enum http_parse take_trailer_name(struct http_chunked *d, char c)
{
        bool starts = d->state == TRAILER;
        d->overhead++;
        if (starts && c == '\r') {
                return go(d, LAST_LF);
        }
        return c == ':' && !starts ? go(d, TRAILER_VALUE) : expect_state(d, is_name_char(c), TRAILER_NAME);
}

static bool in_trailers(const struct http_chunked *d)
{
        return d->state == TRAILER || d->state == TRAILER_NAME || d->state == TRAILER_VALUE || d->state == TRAILER_LF;
}

static enum http_parse take_byte(struct http_chunked *d, char c)
{
        if (d->trailers != NULL && in_trailers(d)) {
                buf_append_char(d->trailers, c);
        }
        switch ((enum state)d->state) {
        case SIZE:
                return take_size(d, c);
        case BLANK:
                d->overhead++;
                return c == ';' ? go(d, EXTENSION) : expect_state(d, c == ' ' || c == '\t', BLANK);
        case EXTENSION:
                return take_text(d, c, SIZE_LF);
        case SIZE_LF:
                return c == '\n' ? end_size_line(d) : refuse_chunk(d);
        case DATA_CR:
                return expect_state(d, c == '\r', DATA_LF);
        case DATA_LF:
                return expect_state(d, c == '\n', SIZE);
        case TRAILER:
        case TRAILER_NAME:
                return take_trailer_name(d, c);
        case TRAILER_VALUE:
                return take_text(d, c, TRAILER_LF);
        case TRAILER_LF:
                return expect_state(d, c == '\n', TRAILER);
        case LAST_LF:
                return expect_state(d, c == '\n', END);
        case DATA:
        case END:
                break;
        }
        return refuse_chunk(d);
}

static struct str take_data(struct http_chunked *d, struct str *in)
{
        size_t n = in->len < d->left ? in->len : (size_t)d->left;
        struct str data = {in->ptr, n};
        in->ptr += n;
        in->len -= n;
        d->left -= n;
        if (d->left == 0) {
                d->state = DATA_CR;
        }
        return data;
}

enum http_parse http_chunked_next(struct http_chunked *d, struct str *in, struct str *data)
{
        enum http_parse result = d->status != 0 ? HTTP_PARSE_REFUSED : HTTP_PARSE_MORE;
        *data = (struct str){in->ptr, 0};
        while (result == HTTP_PARSE_MORE && d->state != END && in->len > 0) {
                if (d->state == DATA) {
                        *data = take_data(d, in);
                        return HTTP_PARSE_MORE;
                }
                result = take_byte(d, in->ptr[0]);
                in->ptr++;
                in->len--;
                if (result == HTTP_PARSE_MORE && d->overhead > OVERHEAD_BYTES_MAX) {
                        result = refuse_chunks(d, "The chunk extensions or trailers of the body are too long.");
                }
        }
        return result == HTTP_PARSE_MORE && d->state == END ? HTTP_PARSE_DONE : result;
}
