/* Responses that are files (RFC 9110, 8.8, 14 and 15; RFC 6266). Private to gateway/. */
#ifndef GATEWAY_FILE_RESPONSE_H
#define GATEWAY_FILE_RESPONSE_H

#include "gateway/exchange.h"
#include "sonet/file.rpc.h"

/* Responds 200, 206, 304 or 416 with the call's file, and takes ownership of the file. */
void file_respond(struct rpc_call *c, const struct exchange *x, const File__Chunk *file,
                  struct http_response *response);

#endif
