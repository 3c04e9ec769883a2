/* Reads the URL of a Redis: redis://[[user]:password@]host[:port][/database], or unix:///path. */
#include "cache/redis_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { DEFAULT_PORT = 6379 };

static int hex_value(char c)
{
        if (c >= '0' && c <= '9') {
                return c - '0';
        }
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A copy with %XX replaced; NULL for broken escapes and %00. */
static char *decode_part(struct str s)
{
        char *out = malloc(s.len + 1), *at = out;
        for (size_t i = 0; out != NULL && i < s.len; i++) {
                char c = s.ptr[i];
                if (c == '%') {
                        int high = i + 2 < s.len ? hex_value(s.ptr[i + 1]) : -1;
                        int low = high < 0 ? -1 : hex_value(s.ptr[i + 2]);
                        if (low < 0 || (high | low) == 0) {
                                free(out);
                                return NULL;
                        }
                        c = (char)(high << 4 | low);
                        i += 2;
                }
                *at++ = c;
        }
        if (at != NULL) {
                *at = '\0';
        }
        return out;
}

static bool parse_number(struct str s, int max, int *out)
{
        int64_t n;
        if (!str_to_i64(s, &n) || n < 0 || n > max) {
                return false;
        }
        *out = (int)n;
        return true;
}

static bool parse_userinfo(struct str info, struct redis_address *a)
{
        const char *colon = memchr(info.ptr, ':', info.len);
        if (colon == NULL) {
                return false; /* a user without a password cannot log in */
        }
        size_t user_len = (size_t)(colon - info.ptr);
        if (user_len > 0 && (a->user = decode_part((struct str){info.ptr, user_len})) == NULL) {
                return false;
        }
        return (a->password = decode_part((struct str){colon + 1, info.len - user_len - 1})) != NULL;
}

static bool parse_host(struct str s, struct redis_address *a)
{
        struct str host = s, port = {"", 0};
        bool brackets = s.len > 0 && s.ptr[0] == '[';
        const char *end = brackets ? memchr(s.ptr, ']', s.len) : memchr(s.ptr, ':', s.len);
        if (brackets) {
                if (end == NULL) {
                        return false;
                }
                host = (struct str){s.ptr + 1, (size_t)(end - s.ptr - 1)};
                port = (struct str){end + 1, s.len - host.len - 2};
        } else if (end != NULL) {
                host.len = (size_t)(end - s.ptr);
                port = (struct str){end, s.len - host.len};
        }
        a->port = DEFAULT_PORT;
        if (port.len > 0 &&
            (port.ptr[0] != ':' || !parse_number((struct str){port.ptr + 1, port.len - 1}, 65535, &a->port))) {
                return false;
        }
        return host.len > 0 && a->port > 0 && (a->host = decode_part(host)) != NULL;
}

static bool parse_tcp(struct str rest, struct redis_address *a)
{
        const char *at = memrchr(rest.ptr, '@', rest.len);
        if (at != NULL) {
                struct str info = {rest.ptr, (size_t)(at - rest.ptr)};
                if (!parse_userinfo(info, a)) {
                        return false;
                }
                rest = (struct str){at + 1, rest.len - info.len - 1};
        }
        const char *slash = memchr(rest.ptr, '/', rest.len);
        if (slash != NULL) {
                struct str database = {slash + 1, rest.len - (size_t)(slash - rest.ptr) - 1};
                if (database.len > 0 && !parse_number(database, 1000000, &a->database)) {
                        return false;
                }
                rest.len = (size_t)(slash - rest.ptr);
        }
        return parse_host(rest, a);
}

bool redis_address_parse(const char *url, struct redis_address *address)
{
        *address = (struct redis_address){0};
        struct str s = str_of(url), unix_scheme = STR("unix://"), tcp_scheme = STR("redis://");
        bool ok = false;
        if (str_starts(s, unix_scheme)) {
                struct str path = {s.ptr + unix_scheme.len, s.len - unix_scheme.len};
                ok = path.len > 0 && path.ptr[0] == '/' && (address->path = decode_part(path)) != NULL;
        } else if (str_starts(s, tcp_scheme)) {
                ok = parse_tcp((struct str){s.ptr + tcp_scheme.len, s.len - tcp_scheme.len}, address);
        }
        if (!ok) {
                redis_address_free(address);
        }
        return ok;
}

void redis_address_free(struct redis_address *address)
{
        free(address->path);
        free(address->host);
        free(address->user);
        free(address->password);
        *address = (struct redis_address){0};
}
