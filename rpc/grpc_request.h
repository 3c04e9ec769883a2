/* One request of the gRPC server, from its head to its answer. Used by grpc_server.c, which knows the methods and the
 * lanes. */
#ifndef RPC_GRPC_REQUEST_H
#define RPC_GRPC_REQUEST_H

#include "http/server.h"
#include "rpc/grpc_wire.h"
#include "rpc/rate_limit.h"

enum { GRPC_WINDOW_BYTES = 256 << 10 }; /* that a client may send on a stream before it is read */

enum served_kind { SERVED_METHOD, SERVED_HEALTH, SERVED_REFLECTION };

/* What the server listens for: each method of each local service, the health check, and reflection. */
struct served {
        enum served_kind kind;
        const char *path;
        const struct rpc_method *method; /* NULL: of SERVED_HEALTH */
        struct service *service;
};

struct grpc_request_context {
        bool (*ready)(void *context);
        void *context;
        bool trusts_certificates; /* clients' certificates were checked against our own CA */
};

struct grpc_upload;

/* Lives in the request's arena. */
struct grpc_request {
        struct work work; /* first: the worker gets a pointer to it */
        struct sonet_grpc_server *server;
        struct http_request *http;
        const struct served *served;
        struct str authorization, service, traceparent, request_id, idempotency_key, client_address, client_agent,
            admitted, user_agent, forwarded, x_forwarded_for, encoding, timeout, file_name, mime_type,
            broken_off;            /* its metadata; a NULL ptr: not given */
        int64_t asked_deadline_us; /* the client's, or 0 */
        struct rate_verdict rate;  /* of who asks from outside */
        struct rpc_call call;
        struct grpc_upload *upload; /* of a method with a body (grpc_upload.h) */
};

/* Reads the metadata and sets the deadline: the client's, cut to the method's. False: something is given twice or
 * malformed, and the problem says what. */
bool grpc_request_read_head(struct grpc_request *r, struct rpc_problem *problem);
/* Who asks, and whether they may: for the rest of the request. On failure the call's problem says why. */
SN_CHECKED sn_status grpc_request_admit(struct grpc_request *r, const struct grpc_request_context *context);
/* On a worker: does everything and fills in the response. */
void grpc_request_serve(struct grpc_request *r, const struct grpc_request_context *context, bool expired,
                        struct http_response *response);
/* The response of a call that goes on, as far as it is the same for all. */
void grpc_response_begin(struct http_response *response);
/* How a call failed whose response has begun. */
void grpc_trailers_of_problem(struct arena *arena, const struct rpc_problem *problem, struct http_response *response);
/* The response of a call that failed: of one block of headers, as the protocol wants it. */
void grpc_response_of_problem(struct arena *arena, const struct rpc_problem *problem, struct http_response *response);

#endif
