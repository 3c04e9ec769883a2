/* Entity tags, which avoid resending what the client already has. */
#ifndef GATEWAY_ETAG_H
#define GATEWAY_ETAG_H

#include "gateway/coding.h"

/* The tag of a body in the given coding, in the arena. It is a strong one: a hash of the bytes. */
const char *etag_of(struct arena *arena, const struct buf *body, enum coding coding);
/* Whether the client has that version: If-None-Match names it. */
bool etag_is_known(const struct http_request *r, const char *etag);
/* Sets the ETag of a response to GET, and turns it into a 304 if the client knows it. */
void etag_set(const struct http_request *r, struct http_response *response, const char *etag);

#endif
