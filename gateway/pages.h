/* Pages: what a process answers itself, beside the contracts' routes. */
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
        bool inline_;           /* answered on the I/O thread: must never wait, and works with all workers busy */
        bool tagged;            /* has an ETag, and 304 */
        bool streams;           /* leaves HTTP: see stream.h */
        const char *parameters; /* as the OpenAPI document has them, JSON; NULL: it takes none */
        bool tells_why_not;     /* 503 has the page's content type, not a problem document */
};

/* Ended by a NULL path. Health, readiness and metrics belong to every process, the others to one with routes. */
const struct gateway_page *gateway_pages(bool with_routes);

#endif
