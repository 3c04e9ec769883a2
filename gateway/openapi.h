/* The OpenAPI description of the REST API, generated from the tables of contracts and pages only, so that it is
 * always up to date (https://spec.openapis.org/oas/v3.1.0). */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include "base/buf.h"
#include "base/contract.h"
#include "gateway/pages.h"

/* Appends the whole document; out->overflow tells if it did not fit. The contracts must be registered; pages end
 * with a NULL path. The server's address is left out, and url_at gets the offset where it belongs. */
void openapi_render(struct buf *out, const struct rpc_service *const *services, size_t n,
                    const struct gateway_page *pages, size_t *url_at);

#endif
