/* Response headers that contracts declare: headers of all responses at a path, and response fields sent as headers.
 * Private to gateway/. */
#ifndef GATEWAY_ANSWER_HEADERS_H
#define GATEWAY_ANSWER_HEADERS_H

#include "base/contract.h"
#include "base/settings.h"
#include "http/server.h"

/* "Name: value" or "Name: $SETTING" each, ending with NULL; NULL when there are none. */
void answer_headers_declared(struct arena *arena, const struct settings *settings, const char *const *headers,
                             struct http_response *response);
void answer_headers_of_message(struct arena *arena, const struct rpc_message *type, const ProtobufCMessage *message,
                               struct http_response *response);
/* Their names, "A, B", without duplicates, for Access-Control-Expose-Headers. */
void answer_headers_list(const struct rpc_service *const *services, size_t n, struct buf *names);

#endif
