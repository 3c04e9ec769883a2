/* Responses that are kept in memory, and sent again as long as nothing that they were read from has changed
 * (base/stamps.h): for methods whose contract says so. A member who reads a timeline again and finds nothing new costs
 * neither look-ups nor writing and compressing the response. Debug builds make it anew each time, and compare. */
#ifndef GATEWAY_KEPT_H
#define GATEWAY_KEPT_H

#include "gateway/exchange.h"

/* Makes the response by calling the method. */
typedef sn_status kept_make(struct rpc_call *c, const struct exchange *x, struct http_response *response);

/* NULL without memory. */
struct cache_table *kept_new(size_t max_bytes);
/* After the server has stopped. Takes NULL. */
void kept_free(struct cache_table *kept);
/* Fills in the kept response, or makes one and keeps it. For any admitted call. */
SN_CHECKED sn_status kept_respond(struct rpc_call *c, const struct exchange *x, kept_make *make,
                                  struct http_response *response);

#endif
