/* Entity tags: what the client has is not sent again. */
#ifndef GATEWAY_ETAG_H
#define GATEWAY_ETAG_H

#include "http/server.h"

/* Gives an answer to GET this ETag, and makes it a 304 when If-None-Match has it. */
void etag_set(const struct http_request *r, struct http_response *response, const char *etag);
/* The same with a tag made of the body: adds ETag, and makes it a 304 when If-None-Match has that. */
void etag_add(const struct http_request *r, struct http_response *response);

#endif
