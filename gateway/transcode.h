/* Conversion between HTTP and messages: path, query and body to the method's request, and its result to a response. */
#ifndef GATEWAY_TRANSCODE_H
#define GATEWAY_TRANSCODE_H

#include "gateway/exchange.h"

/* An initialised request message in the call's arena. Fields come from the path, then from the body (POST, PUT,
 * PATCH) or the query (other methods); fields in the path must not be repeated there, and only lists may appear more
 * than once in the query. */
SN_CHECKED sn_status transcode_request(struct rpc_call *c, const struct exchange *x, ProtobufCMessage **in);
/* Rejects a parameter that REST takes from elsewhere: bytes of the body, or a header. */
SN_CHECKED sn_status transcode_check_place(struct rpc_call *c, const struct rpc_method *m, struct str name);
/* Decodes a name or value of a query, with '+' for a space (application/x-www-form-urlencoded). False: an invalid
 * escape. */
bool transcode_decode_query(struct arena *arena, struct str in, struct str *out);
/* Sets status, body, ETag (responding 304 to If-None-Match) and the Link to the next page. */
void transcode_response(struct rpc_call *c, const struct exchange *x, const ProtobufCMessage *out,
                        struct http_response *response);

#endif
