/* Document: /openapi.json, with the address under which this server is known. Rendered and compressed once for each
 * address. */
#ifndef GATEWAY_DOCUMENT_H
#define GATEWAY_DOCUMENT_H

#include "gateway/gateway.h"
#include "gateway/pages.h"
#include "http/server.h"

struct document;

/* The address is PUBLIC_URL; when that is not set, the one that the request was sent to. NULL: no memory, or the
 * document does not fit. */
struct document *document_new(const struct gateway_options *options, const struct gateway_page *pages);
/* Any thread. Answers status, body and ETag. */
void document_render(struct document *document, const struct http_request *r, struct http_response *response);
void document_free(struct document *document); /* takes NULL */

#endif
