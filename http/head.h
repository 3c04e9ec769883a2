/* Parser for request heads (RFC 9112, RFC 9110); uses no socket, no clock and no memory of its own. Anything that
 * two parties could interpret differently is rejected. The result does not depend on how the bytes are split. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/str.h"
#include "http/server.h"

enum http_parse { HTTP_PARSE_MORE, HTTP_PARSE_DONE, HTTP_PARSE_REFUSED };

/* A part of the head, as an offset from its first byte: the bytes may move while more arrive. */
struct http_span {
        uint32_t at, len;
};

struct http_field {
        struct http_span name, value;
};

struct http_head {
        /* parser state */
        uint32_t line, looked; /* start of the current line, and how far its characters have been checked */
        bool has_request_line;
        unsigned hosts, lengths, encodings;
        bool says_close, says_keep_alive;
        /* results so far; complete with HTTP_PARSE_DONE */
        struct http_span method, path, query; /* path: empty means "/" */
        bool http_10;
        bool chunked;
        uint64_t content_length; /* UINT64_MAX: that or more */
        bool expects_continue, keep_alive;
        uint32_t len; /* of the whole head, including the empty line */
        /* with HTTP_PARSE_REFUSED */
        int status;
        const char *detail;
        uint32_t n_fields;
        struct http_field fields[HTTP_MAX_HEADERS];
};

void http_head_init(struct http_head *h);
/* bytes holds everything received of the request, from its first byte: after HTTP_PARSE_MORE call again with more.
 * Bytes after the head are ignored. A head longer than max_bytes (less than 4 GiB) is rejected. */
enum http_parse http_head_parse(struct http_head *h, const char *bytes, size_t len, size_t max_bytes);

/* What a head says, however it comes (http2_request.c reads it from other frames). */
/* Splits a request target into path and query: the origin form, "*" with OPTIONS, or the absolute form, whose
 * authority is dropped and whose path may be empty. False if it is malformed. */
bool http_split_target(struct str target, bool is_options, struct str *path, struct str *query);
/* RFC 3986: a host name or address with an optional port, and without user information. */
bool http_is_authority(struct str s);
/* Digits only. A number that overflows becomes UINT64_MAX, which exceeds every limit. */
bool http_parse_length(struct str digits, uint64_t *out);

#endif
