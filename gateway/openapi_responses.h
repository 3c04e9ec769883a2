/* The possible responses of each operation, with their headers. Private to the OpenAPI renderer. */
#ifndef GATEWAY_OPENAPI_RESPONSES_H
#define GATEWAY_OPENAPI_RESPONSES_H

#include "base/buf.h"
#include "base/contract.h"
#include "gateway/openapi_schema.h"
#include "gateway/pages.h"

/* The member "responses" of an operation. */
void responses_of_method(struct buf *out, const struct schema_set *schemas, const struct rpc_method *m);
void responses_of_page(struct buf *out, const struct gateway_page *page);

/* The members "responses" and "headers" of components, and the member "Problem" of components.schemas. */
void responses_write_components(struct buf *out);
void responses_write_problem_schema(struct buf *out);

#endif
