/* Transcoding: from path, query and body to the method's message, and from its answer to a response. */
#ifndef GATEWAY_TRANSCODE_H
#define GATEWAY_TRANSCODE_H

#include "gateway/exchange.h"

/* An initialised request message in the call's arena, filled in. Fields come from the path, then from the body (POST,
 * PUT, PATCH) or the query (the others); what the path names cannot be given twice, and in the query only lists may
 * come more than once. */
SN_CHECKED sn_status transcode_request(struct rpc_call *c, const struct exchange *x, ProtobufCMessage **in);
/* Refuses a parameter that REST has elsewhere: bytes of the body, what a header says. */
SN_CHECKED sn_status transcode_check_place(struct rpc_call *c, const struct rpc_method *m, struct str name);
/* A name or value of a query, with '+' for a space (application/x-www-form-urlencoded). False: a bad escape. */
bool transcode_decode_query(struct arena *arena, struct str in, struct str *out);
/* Status, body, ETag (answering 304 to If-None-Match), Link to the next page. */
void transcode_response(struct rpc_call *c, const struct exchange *x, const ProtobufCMessage *out,
                        struct http_response *response);

#endif
