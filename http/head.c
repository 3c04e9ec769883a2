/* Parses a head line by line: first all characters of a line are checked, then its meaning. So errors are reported
 * in the order of the bytes, however many of them have arrived. */
#include "http/head.h"

#include <string.h>
#include <strings.h>

void http_head_init(struct http_head *h)
{
        memset(h, 0, offsetof(struct http_head, fields));
}

static enum http_parse refuse_head(struct http_head *h, int status, const char *detail)
{
        h->status = status;
        h->detail = detail;
        return HTTP_PARSE_REFUSED;
}

/* --- characters --- */

/* RFC 9110 5.6.2. */
static bool is_token_char(unsigned char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                if (!is_token_char((unsigned char)s.ptr[i])) {
                        return false;
                }
        }
        return s.len > 0;
}

/* Visible ASCII: anything else must be percent-encoded. */
static bool is_target(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                if ((unsigned char)s.ptr[i] <= 0x20 || (unsigned char)s.ptr[i] >= 0x7F || s.ptr[i] == '#') {
                        return false;
                }
        }
        return s.len > 0;
}

bool http_is_authority(struct str s)
{
        for (size_t i = 0; i < s.len; i++) {
                unsigned char c = (unsigned char)s.ptr[i];
                bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                if (!letter && (c == '\0' || strchr("-._~!$&'()*+,;=:[]%", c) == NULL)) {
                        return false;
                }
        }
        return true;
}

static bool is_text(char c)
{
        return ((unsigned char)c >= 0x20 && c != 0x7F) || c == '\t';
}

/* --- the request line --- */

static struct http_span span_of(const char *bytes, struct str piece)
{
        return (struct http_span){(uint32_t)(piece.ptr - bytes), (uint32_t)piece.len};
}

static bool is_absolute(struct str target, struct str *rest)
{
        static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};
        for (size_t i = 0; i < 2; i++) {
                size_t n = schemes[i].len;
                if (target.len >= n && strncasecmp(target.ptr, schemes[i].ptr, n) == 0) {
                        *rest = (struct str){target.ptr + n, target.len - n};
                        return true;
                }
        }
        return false;
}

bool http_split_target(struct str target, bool is_options, struct str *path, struct str *query)
{
        struct str rest = target;
        bool absolute = is_absolute(target, &rest);
        if (!is_target(target)) {
                return false;
        }
        if (absolute) {
                size_t n = 0;
                while (n < rest.len && rest.ptr[n] != '/' && rest.ptr[n] != '?') {
                        n++;
                }
                if (n == 0 || !http_is_authority((struct str){rest.ptr, n})) {
                        return false;
                }
                rest = (struct str){rest.ptr + n, rest.len - n};
        }
        const char *question = memchr(rest.ptr, '?', rest.len);
        *path = rest;
        *query = (struct str){rest.ptr + rest.len, 0};
        if (question != NULL) {
                path->len = (size_t)(question - rest.ptr);
                *query = (struct str){question + 1, rest.len - path->len - 1};
        }
        return path->len == 0 ? absolute : path->ptr[0] == '/' || (is_options && str_equal_c(*path, "*"));
}

static bool is_version(struct str s)
{
        return s.len == 8 && memcmp(s.ptr, "HTTP/", 5) == 0 && s.ptr[5] >= '0' && s.ptr[5] <= '9' && s.ptr[6] == '.' &&
               s.ptr[7] >= '0' && s.ptr[7] <= '9';
}

static enum http_parse take_request_line(struct http_head *h, const char *bytes, struct str line)
{
        const char *first = memchr(line.ptr, ' ', line.len), *last = memrchr(line.ptr, ' ', line.len);
        if (first == NULL || first == last) {
                return refuse_head(h, 400, "The request line is malformed.");
        }
        struct str method = {line.ptr, (size_t)(first - line.ptr)};
        struct str target = {first + 1, (size_t)(last - first - 1)};
        struct str version = {last + 1, (size_t)(line.ptr + line.len - last - 1)};
        if (!is_token(method) || !is_version(version)) {
                return refuse_head(h, 400, "The request line is malformed.");
        }
        if (!str_equal_c(version, "HTTP/1.1") && !str_equal_c(version, "HTTP/1.0")) {
                return refuse_head(h, 505, "Only HTTP/1.1 and HTTP/1.0 are supported here.");
        }
        struct str path, query;
        if (!http_split_target(target, str_equal_c(method, "OPTIONS"), &path, &query)) {
                return refuse_head(h, 400, "The request line is malformed.");
        }
        h->path = span_of(bytes, path);
        h->query = span_of(bytes, query);
        h->method = span_of(bytes, method);
        h->http_10 = version.ptr[7] == '0';
        h->has_request_line = true;
        return HTTP_PARSE_MORE;
}

/* --- header lines --- */

bool http_parse_length(struct str digits, uint64_t *out)
{
        uint64_t value = 0;
        for (size_t i = 0; i < digits.len; i++) {
                if (digits.ptr[i] < '0' || digits.ptr[i] > '9') {
                        return false;
                }
                uint64_t digit = (uint64_t)(digits.ptr[i] - '0');
                value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
        }
        *out = value;
        return digits.len > 0;
}

static void take_connection(struct http_head *h, struct str value)
{
        struct str option;
        while (str_next(&value, ',', &option)) {
                h->says_close |= str_equal_nocase(str_trim(option), STR("close"));
                h->says_keep_alive |= str_equal_nocase(str_trim(option), STR("keep-alive"));
        }
}

static enum http_parse take_special(struct http_head *h, struct str name, struct str value)
{
        if (str_equal_nocase(name, STR("Host"))) {
                h->hosts++;
                return http_is_authority(value) ? HTTP_PARSE_MORE
                                                : refuse_head(h, 400, "The Host header is malformed.");
        }
        if (str_equal_nocase(name, STR("Content-Length"))) {
                h->lengths++;
                return http_parse_length(value, &h->content_length)
                           ? HTTP_PARSE_MORE
                           : refuse_head(h, 400, "Content-Length is not a number.");
        }
        if (str_equal_nocase(name, STR("Transfer-Encoding"))) {
                h->encodings++;
                h->chunked = true;
                return str_equal_nocase(value, STR("chunked"))
                           ? HTTP_PARSE_MORE
                           : refuse_head(h, 501, "The only supported transfer encoding is chunked.");
        }
        if (str_equal_nocase(name, STR("Expect"))) {
                h->expects_continue = true;
                return str_equal_nocase(value, STR("100-continue"))
                           ? HTTP_PARSE_MORE
                           : refuse_head(h, 417, "The only supported expectation is 100-continue.");
        }
        if (str_equal_nocase(name, STR("Connection"))) {
                take_connection(h, value);
        }
        return HTTP_PARSE_MORE;
}

static enum http_parse take_field(struct http_head *h, const char *bytes, struct str line)
{
        const char *colon = memchr(line.ptr, ':', line.len);
        if (line.ptr[0] == ' ' || line.ptr[0] == '\t') {
                return refuse_head(h, 400, "A header continues on a second line, which is not allowed.");
        }
        if (colon == NULL) {
                return refuse_head(h, 400, "A header has no colon.");
        }
        struct str name = {line.ptr, (size_t)(colon - line.ptr)};
        struct str value = str_trim((struct str){colon + 1, (size_t)(line.ptr + line.len - colon - 1)});
        if (!is_token(name)) {
                return refuse_head(h, 400, "A header name contains invalid characters.");
        }
        if (h->n_fields == HTTP_MAX_HEADERS) {
                return refuse_head(h, 431, "The request has too many headers.");
        }
        h->fields[h->n_fields++] = (struct http_field){span_of(bytes, name), span_of(bytes, value)};
        return take_special(h, name, value);
}

/* --- the whole head --- */

static enum http_parse finish_head(struct http_head *h)
{
        if (h->hosts > 1 || (h->hosts == 0 && !h->http_10)) {
                return refuse_head(
                    h, 400, h->hosts == 0 ? "The Host header is missing." : "The Host header appears more than once.");
        }
        if (h->lengths > 1 || h->encodings > 1 || (h->lengths > 0 && h->encodings > 0)) {
                return refuse_head(h, 400, "The body's length is given more than once.");
        }
        if (h->encodings > 0 && h->http_10) {
                return refuse_head(h, 400, "Transfer-Encoding is not allowed in HTTP/1.0.");
        }
        h->expects_continue &= !h->http_10;
        h->keep_alive = !h->says_close && (!h->http_10 || h->says_keep_alive);
        h->len = h->line;
        return HTTP_PARSE_DONE;
}

/* HTTP_PARSE_DONE: the line ends at looked. A bare CR or LF does not end a line, although other parties may think
 * so. */
static enum http_parse look_through_line(struct http_head *h, const char *bytes, size_t end)
{
        size_t i = h->looked;
        while (i < end && is_text(bytes[i])) {
                i++;
        }
        h->looked = (uint32_t)i;
        if (i == end || (bytes[i] == '\r' && i + 1 == end)) {
                return HTTP_PARSE_MORE;
        }
        if (bytes[i] == '\r' && bytes[i + 1] == '\n') {
                return HTTP_PARSE_DONE;
        }
        if (bytes[i] == '\r' || bytes[i] == '\n') {
                return refuse_head(h, 400, "Header lines must end with CRLF and contain no other CR or LF.");
        }
        return refuse_head(
            h, 400, h->has_request_line ? "A header contains control characters." : "The request line is malformed.");
}

static enum http_parse take_line(struct http_head *h, const char *bytes, struct str line)
{
        if (h->has_request_line) {
                return line.len == 0 ? finish_head(h) : take_field(h, bytes, line);
        }
        if (line.len == 0 && line.ptr == bytes) {
                return HTTP_PARSE_MORE; /* RFC 9112, 2.2: one empty line before the request is tolerated */
        }
        return take_request_line(h, bytes, line);
}

static enum http_parse too_large(struct http_head *h)
{
        return h->has_request_line ? refuse_head(h, 431, "The request's headers are too large.")
                                   : refuse_head(h, 414, "The request target is too long.");
}

enum http_parse http_head_parse(struct http_head *h, const char *bytes, size_t len, size_t max_bytes)
{
        size_t end = len < max_bytes ? len : max_bytes;
        enum http_parse result = h->status != 0 ? HTTP_PARSE_REFUSED : HTTP_PARSE_MORE;
        while (result == HTTP_PARSE_MORE) {
                result = look_through_line(h, bytes, end);
                if (result == HTTP_PARSE_MORE) {
                        return len < max_bytes ? HTTP_PARSE_MORE : too_large(h);
                }
                if (result == HTTP_PARSE_DONE) {
                        struct str line = {bytes + h->line, h->looked - h->line};
                        h->line = h->looked = h->looked + 2;
                        result = take_line(h, bytes, line);
                }
        }
        return result;
}
