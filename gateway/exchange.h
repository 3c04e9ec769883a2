/* One request on its way through the gateway. Allocated in the request's arena. Private to gateway/. */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "base/service.h"
#include "base/workers.h"
#include "gateway/gateway.h"
#include "gateway/router.h"
#include "http/server.h"
#include "rpc/rate_limit.h"

struct gateway {
        struct gateway_options options;
        struct router *router;
        struct http_server *server;
        struct document *document;
        struct buf exposed; /* names of headers that pages of other origins may read (Access-Control-Expose-Headers) */
        struct stream_hub *streams;
        struct cache_table *kept; /* responses (kept.h) */
        struct service service;   /* the gateway as a caller */
};

struct exchange {
        struct work work; /* first: workers get a pointer to it */
        struct gateway *gateway;
        struct http_request *request;
        struct route_match match;
        const char *request_id;
        struct upload *upload;    /* for a method that takes a body of bytes */
        struct rpc_call *call;    /* set once the caller is identified: */
        sn_status admitted;       /* whether the caller may do this, */
        struct rate_verdict rate; /* and the state of the rate limit */
        bool tried;               /* an attempt on the I/O thread would have had to wait */
};

/* Whether the services behind the routes can be called. */
bool gateway_is_serving(const struct gateway *gateway);
/* Run by a worker for a request that has a method. Sends the response. */
void exchange_run(struct exchange *x);
/* The same on an I/O thread, as long as nothing has to wait. True: the response is filled in. False: a worker must
 * run it. */
SN_CHECKED bool exchange_try(struct exchange *x, struct http_response *response);
/* Must be called before a tried request is answered without being run by a worker. */
void exchange_forget_attempt(const struct exchange *x);
/* Identifies the caller and checks the rate limit, for a call of the given method, which may differ from the
 * route's. */
SN_CHECKED sn_status exchange_identify(const struct exchange *x, const struct rpc_method *method,
                                       struct http_response *response, struct rpc_call **c);
/* Fills the response with a problem. */
void exchange_refuse(const struct exchange *x, const struct rpc_problem *problem, struct http_response *response);
/* Headers that every response has. */
void exchange_headers(const struct exchange *x, struct http_response *response);

#endif
