/* Checks of a request body before it is decoded into a message. Private to gateway/. */
#ifndef GATEWAY_BODY_H
#define GATEWAY_BODY_H

#include <stdbool.h>
#include "http/server.h"

/* The largest body accepted by methods that take no fields from it: many clients send `{}` with every DELETE. */
#define BODY_NOTHING_MAX_BYTES 64

bool body_is_json(const struct http_request *r);    /* by its Content-Type */
bool body_is_encoded(const struct http_request *r); /* has a Content-Encoding (RFC 9110, 8.4) */
/* True if the body is empty or an object without members. */
bool body_is_nothing(struct str body);

#endif
