/* The last step of a response that has its body: chooses the content coding and sets the entity tag. A tag
 * identifies bytes, so each coding has its own (RFC 9110, 8.8.3.3), and a response in another coding than the
 * client's cached one is sent in full. */
#ifndef GATEWAY_CONTENT_H
#define GATEWAY_CONTENT_H

#include "gateway/coding.h"

#define CONTENT_COMPRESSED_FROM 1024 /* bytes; below it, compressing does not save a packet */

struct content_rules {
        bool tagged; /* a complete response to GET: send an ETag, answer If-None-Match with 304 */
        /* The response contains tokens. The compressed length reveals what attacker-controlled text has in common
         * with a secret (BREACH), so such responses are never compressed. */
        bool secret;
};

/* For a response body that was just built. */
void content_finish(const struct http_request *r, struct http_response *response, struct content_rules rules);

/* For prepared bytes that outlive the response. */
struct content {
        struct str bytes[CODINGS]; /* NULL: not available in this coding */
        const char *tags[CODINGS];
};

void content_send(const struct http_request *r, const struct content *content, struct http_response *response);

#endif
