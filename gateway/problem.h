/* Problems as HTTP shows them: application/problem+json (RFC 9457) with the stable `code` and the offending `field`. */
#ifndef GATEWAY_PROBLEM_H
#define GATEWAY_PROBLEM_H

#include "base/call.h"
#include "http/server.h"

/* Status, body and headers (WWW-Authenticate, Retry-After) of a call's problem. What went wrong inside stays inside. */
void problem_write(const struct rpc_problem *problem, const char *request_id, struct arena *arena,
                   struct http_response *response);
/* The same for what is wrong in HTTP itself. code NULL: after the status. */
void problem_write_http(int status, const char *code, const char *detail, const char *request_id, struct arena *arena,
                        struct http_response *response);

#endif
