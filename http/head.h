/* The head of a request, from bytes (RFC 9112, RFC 9110): no socket, no clock, no memory of its own. Whatever two
 * parties could read in two ways is refused. The result does not depend on how the bytes were cut into pieces. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"
#include "http/server.h"

enum http_parse { HTTP_PARSE_MORE, HTTP_PARSE_DONE, HTTP_PARSE_REFUSED };

/* A piece of the head, counted from its first byte: the bytes may move while the rest of them comes. */
struct http_span {
        uint32_t at, len;
};

struct http_field {
        struct http_span name, value;
};

struct http_head {
        /* how far it is read */
        uint32_t line, looked; /* where the current line starts, and up to where its characters are known to be right */
        bool has_request_line;
        unsigned hosts, lengths, encodings;
        bool says_close, says_keep_alive;
        /* what was found so far; all of it with HTTP_PARSE_DONE */
        struct http_span method, path, query; /* path: empty means "/" */
        bool http_10;
        bool chunked;
        uint64_t content_length; /* UINT64_MAX: that, or more */
        bool expects_continue, keep_alive;
        uint32_t len; /* of the whole head, with the empty line */
        /* with HTTP_PARSE_REFUSED */
        int status;
        const char *detail;
        uint32_t n_fields;
        struct http_field fields[HTTP_MAX_HEADERS];
};

void http_head_init(struct http_head *h);
/* bytes are all that have come of the request, from its first one: with HTTP_PARSE_MORE call again with more. Bytes
 * behind the head are left alone. A head that is not whole within max_bytes (less than 4 GiB) is refused. */
enum http_parse http_head_parse(struct http_head *h, const char *bytes, size_t len, size_t max_bytes);

/* What a head says, however it comes (http2_request.c reads it from other frames). */
/* Splits a request target into path and query: the origin form, "*" with OPTIONS, or the absolute form, whose authority
 * is left out and whose path may be empty. False for one that is malformed. */
bool http_split_target(struct str target, bool is_options, struct str *path, struct str *query);
/* RFC 3986: a name or an address, and a port; no user information before it. */
bool http_is_authority(struct str s);
/* Digits only. A number that does not fit is UINT64_MAX, which exceeds every limit. */
bool http_parse_length(struct str digits, uint64_t *out);

#endif
