/* Bodies of bytes on their way in: who may send one is asked before any of it is read; then it goes to the spool as it
 * comes, a form's fields into memory. Private to gateway/. */
#ifndef GATEWAY_UPLOAD_H
#define GATEWAY_UPLOAD_H

#include "gateway/exchange.h"

struct upload;

/* On the I/O thread, for a method that takes a body of bytes: makes x->upload. False: the response is filled in. */
bool upload_begin(struct exchange *x, size_t *max_body, struct http_response *early);
/* On the I/O thread, when all has come. False: the response is filled in. */
bool upload_end(struct exchange *x, struct http_response *early);
/* What it is a request of: identified, and with the body. */
struct rpc_call *upload_call(const struct exchange *x);
/* What was said to it when it was identified. */
void upload_headers(const struct exchange *x, struct http_response *response);
/* On a worker: the last of it is written, and its sender still logged in. */
SN_CHECKED sn_status upload_finish(struct rpc_call *c, const struct exchange *x);
/* The fields that came as parts of a form. */
SN_CHECKED sn_status upload_read_fields(struct rpc_call *c, const struct exchange *x, ProtobufCMessage *in);

#endif
