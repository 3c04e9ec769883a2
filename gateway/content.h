/* Content: the last step of an answer that has its body. In which coding it goes, under which tag, and with which
 * bytes. A tag stands for bytes, so each coding has its own (RFC 9110, 8.8.3.3), and an answer in another coding than
 * the one that the client has is sent anew. */
#ifndef GATEWAY_CONTENT_H
#define GATEWAY_CONTENT_H

#include "gateway/coding.h"

#define CONTENT_COMPRESSED_FROM 1024 /* bytes: below it, the packet is as full with or without */

struct content_rules {
        bool tagged; /* a whole answer to GET: ETag, and 304 to If-None-Match */
        /* It holds tokens. Compression tells by its length what text beside a secret has in common with it (BREACH),
         * and such text may be a stranger's: so these answers are never compressed. */
        bool secret;
};

/* Of an answer that was just made. */
void content_finish(const struct http_request *r, struct http_response *response, struct content_rules rules);

/* Bytes that were prepared, and outlive the answer. */
struct content {
        struct str bytes[CODINGS]; /* NULL: not in that coding */
        const char *tags[CODINGS];
};

void content_send(const struct http_request *r, const struct content *content, struct http_response *response);

#endif
