/* Headers that contracts declare: those of all answers at a path, and fields of answers that stand in one. Private to
 * gateway/. */
#ifndef GATEWAY_ANSWER_HEADERS_H
#define GATEWAY_ANSWER_HEADERS_H

#include "base/contract.h"
#include "http/server.h"

/* "Name: value" each, NULL-terminated; NULL: none. */
void answer_headers_constant(struct arena *arena, const char *const *headers, struct http_response *response);
void answer_headers_of_message(struct arena *arena, const struct rpc_message *type, const ProtobufCMessage *message,
                               struct http_response *response);
/* The names of all of them, "A, B", each once: what pages of other origins may read. */
void answer_headers_list(const struct rpc_service *const *services, size_t n, struct buf *names);

#endif
