/* Entity tags: what the client has is not sent again. */
#ifndef GATEWAY_ETAG_H
#define GATEWAY_ETAG_H

#include "gateway/coding.h"

/* Of the body that was coded so, in the arena. Strong: the bytes decide. */
const char *etag_of(struct arena *arena, const struct buf *body, enum coding coding);
/* Gives an answer to GET this ETag, and makes it a 304 when If-None-Match has it. */
void etag_set(const struct http_request *r, struct http_response *response, const char *etag);

#endif
