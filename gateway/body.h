/* Request bodies: what can be said of one before it is read as a message. Private to gateway/. */
#ifndef GATEWAY_BODY_H
#define GATEWAY_BODY_H

#include <stdbool.h>
#include "http/server.h"

/* Where no fields are taken from a body, it may be this long: many clients send `{}` with each DELETE. */
#define BODY_NOTHING_MAX_BYTES 64

bool body_is_json(const struct http_request *r);    /* says so in Content-Type */
bool body_is_encoded(const struct http_request *r); /* has a Content-Encoding (RFC 9110, 8.4) */
/* Holds nothing: it is empty, or an object without members. */
bool body_is_nothing(struct str body);

#endif
