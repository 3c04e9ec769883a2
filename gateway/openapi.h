/* OpenAPI: the description of the REST side, made of the tables of contracts and pages and nothing else, so that it
 * cannot lag behind (https://spec.openapis.org/oas/v3.1.0). */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include "base/buf.h"
#include "base/contract.h"
#include "gateway/pages.h"

/* Appends the whole document. out->overflow tells when it did not fit. The contracts must be registered; the pages end
 * by a NULL path. url_at gets the place where the server's address belongs, which is left out. */
void openapi_render(struct buf *out, const struct rpc_service *const *services, size_t n,
                    const struct gateway_page *pages, size_t *url_at);

#endif
