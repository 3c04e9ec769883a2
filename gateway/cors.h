/* CORS (Fetch standard): which other origins may call the API from a browser. Tokens travel in a header and never in
 * cookies, so credentials mode is not used. */
#ifndef GATEWAY_CORS_H
#define GATEWAY_CORS_H

#include <stdbool.h>
#include "http/server.h"

/* Adds what CORS_ORIGINS ("*", a comma-separated list, or "none") allows to the request's Origin. With a list it
 * always adds Vary. */
void cors_headers(const char *origins, const char *exposed, const struct http_request *r,
                  struct http_response *response);
/* Completes the response (204) to OPTIONS, whether or not it is a preflight. allow: the methods of the path. */
void cors_options(const struct http_request *r, const char *allow, struct http_response *response);

#endif
