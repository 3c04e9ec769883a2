/* Pages that a process serves itself, in addition to the contracts' routes. */
#ifndef GATEWAY_PAGES_H
#define GATEWAY_PAGES_H

#include "gateway/gateway.h"
#include "http/server.h"

struct gateway_page {
        const char *path;
        const char *content_type;
        /* False: the response is a problem document. */
        bool (*render)(struct gateway *gateway, struct http_request *r, struct http_response *response);
        const char *summary;    /* for the OpenAPI document */
        bool inline_;           /* runs on the I/O thread: must not block, and works while all workers are busy */
        bool tagged;            /* sends an ETag and answers 304 */
        bool streams;           /* leaves HTTP; see stream.h */
        const char *parameters; /* for the OpenAPI document, as JSON; NULL: none */
        bool tells_why_not;     /* a 503 has the page's content type instead of a problem document */
};

/* Ends with a NULL path. Every process serves health, readiness and metrics; only a process with routes serves the
 * rest. */
const struct gateway_page *gateway_pages(bool with_routes);

#endif
