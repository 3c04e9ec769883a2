/* Incoming bodies of bytes: the caller is checked before anything is read; then the body goes to the spool as it
 * arrives, and a form's fields into memory. Private to gateway/. */
#ifndef GATEWAY_UPLOAD_H
#define GATEWAY_UPLOAD_H

#include "gateway/exchange.h"

struct upload;

/* On the I/O thread, for a method that takes a body of bytes: creates x->upload. False: the response is filled in. */
bool upload_begin(struct exchange *x, size_t *max_body, struct http_response *early);
/* On the I/O thread, when the whole body has arrived. False: the response is filled in. */
bool upload_end(struct exchange *x, struct http_response *early);
/* The call of this request: authenticated, and with the body. */
struct rpc_call *upload_call(const struct exchange *x);
/* Adds the headers that were determined when the caller was authenticated. */
void upload_headers(const struct exchange *x, struct http_response *response);
/* On a worker: flushes the body and checks that its sender is still logged in. */
SN_CHECKED sn_status upload_finish(struct rpc_call *c, const struct exchange *x);
/* Reads the fields that came as parts of a form. */
SN_CHECKED sn_status upload_read_fields(struct rpc_call *c, const struct exchange *x, ProtobufCMessage *in);

#endif
