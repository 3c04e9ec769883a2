/* /openapi.json, with the address at which the client reaches this server. Rendered and compressed once per address. */
#ifndef GATEWAY_DOCUMENT_H
#define GATEWAY_DOCUMENT_H

#include "gateway/gateway.h"
#include "gateway/pages.h"
#include "http/server.h"

struct document;

/* The address is PUBLIC_URL or, if that is not set, the one that the request was sent to. NULL when out of memory or
 * when the document is too large. */
struct document *document_new(const struct gateway_options *options, const struct gateway_page *pages);
/* Any thread. Sets status, body and ETag. */
void document_render(struct document *document, const struct http_request *r, struct http_response *response);
void document_free(struct document *document); /* takes NULL */

#endif
