/* CORS (Fetch standard): which pages of other origins may call. Tokens travel in a header, never in cookies, so no
 * credentials mode. */
#ifndef GATEWAY_CORS_H
#define GATEWAY_CORS_H

#include <stdbool.h>
#include "http/server.h"

/* Adds what the request's Origin is allowed, by the setting CORS_ORIGINS: "*", a comma-separated list, or "none"; with
 * a list Vary too, whoever asks. */
void cors_headers(const char *origins, const char *exposed, const struct http_request *r,
                  struct http_response *response);
/* The rest of the answer (204) to OPTIONS, a preflight or not. allow: the path's verbs. */
void cors_options(const struct http_request *r, const char *allow, struct http_response *response);

#endif
