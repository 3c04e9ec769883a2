/* Exchange: one request on its way through the gateway. Lives in the request's arena. Private to gateway/. */
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
        struct buf exposed; /* names of headers that pages of other origins may read */
        struct stream_hub *streams;
        struct service service; /* the gateway as a caller */
};

struct exchange {
        struct work work; /* first: the worker's handle */
        struct gateway *gateway;
        struct http_request *request;
        struct route_match match;
        const char *request_id;
        struct upload *upload;    /* of a method that takes bytes */
        struct rpc_call *call;    /* once its caller was looked at: */
        sn_status admitted;       /* whether they may, */
        struct rate_verdict rate; /* and how often */
        bool tried;               /* an attempt on the I/O thread had to wait */
};

/* Whether the services behind the routes can be called. */
bool gateway_is_serving(const struct gateway *gateway);
/* What a worker does with a request that has a method. Answers it. */
void exchange_run(struct exchange *x);
/* The same on an I/O thread, as far as it needs not wait. True: the response is filled in. False: to be run by a
 * worker. */
SN_CHECKED bool exchange_try(struct exchange *x, struct http_response *response);
/* Before a request that was tried so, and that no worker runs, gets its answer. */
void exchange_forget_attempt(const struct exchange *x);
/* Who asks, and whether they may ask once more: a call of the method, which need not be the route's. */
SN_CHECKED sn_status exchange_identify(const struct exchange *x, const struct rpc_method *method,
                                       struct http_response *response, struct rpc_call **c);
/* Fills in the response with a problem. */
void exchange_refuse(const struct exchange *x, const struct rpc_problem *problem, struct http_response *response);
/* Headers that every response has. */
void exchange_headers(const struct exchange *x, struct http_response *response);

#endif
