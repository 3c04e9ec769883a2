/* Pages: what a process answers itself, beside the contracts' routes. */
#ifndef GATEWAY_PAGES_H
#define GATEWAY_PAGES_H

#include "gateway/gateway.h"
#include "http/server.h"

struct gateway_page {
        const char *path;
        const char *content_type;
        void (*render)(struct gateway *gateway, struct http_request *r, struct http_response *response);
        bool inline_; /* answered on the I/O thread: must never wait, and works with all workers busy */
};

/* Ended by a NULL path. Health, readiness and metrics belong to every process, the others to one with routes. */
const struct gateway_page *gateway_pages(bool with_routes);

#endif
