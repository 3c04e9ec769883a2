/* Problems in HTTP: application/problem+json (RFC 9457) with a stable `code` and the offending `field`. */
#ifndef GATEWAY_PROBLEM_H
#define GATEWAY_PROBLEM_H

#include "base/call.h"
#include "http/server.h"

/* Sets status, body and headers (WWW-Authenticate, Retry-After) from a call's problem. Details of internal errors
 * are not disclosed. */
void problem_write(const struct rpc_problem *problem, const char *request_id, struct arena *arena,
                   struct http_response *response);
/* The same for errors in HTTP itself. code NULL: the status's default. */
void problem_write_http(int status, const char *code, const char *detail, const char *request_id, struct arena *arena,
                        struct http_response *response);

#endif
