/* A request of the gRPC server, from its head to its response. Used by grpc_server.c, which knows the methods and
 * the lanes. */
#ifndef RPC_GRPC_REQUEST_H
#define RPC_GRPC_REQUEST_H

#include "http/server.h"
#include "rpc/grpc_wire.h"
#include "rpc/rate_limit.h"

enum { GRPC_WINDOW_BYTES = 256 << 10 }; /* that a client may send on a stream before it is read */

enum served_kind { SERVED_METHOD, SERVED_HEALTH, SERVED_REFLECTION };

/* What the server serves: the methods of the local services, the health check, and reflection. */
struct served {
        enum served_kind kind;
        const char *path;
        const struct rpc_method *method; /* NULL for SERVED_HEALTH */
        struct service *service;
};

struct grpc_request_context {
        bool (*ready)(void *context);
        void *context;
        bool trusts_certificates; /* client certificates were verified against our own CA */
};

struct grpc_upload;

/* Allocated in the request's arena. */
struct grpc_request {
        struct work work; /* first: workers get a pointer to it */
        struct sonet_grpc_server *server;
        struct http_request *http;
        const struct served *served;
        struct str authorization, service, traceparent, request_id, idempotency_key, client_address, client_agent,
            admitted, user_agent, forwarded, x_forwarded_for, encoding, timeout, file_name, mime_type, broken_off,
            stamps_memory;         /* its metadata; ptr NULL: absent */
        int64_t asked_deadline_us; /* the client's, or 0 */
        bool admission_known;      /* the caller was authenticated and authorised, with this result */
        sn_status admission;
        bool tried;               /* on the I/O thread, in vain */
        struct rate_verdict rate; /* of an external caller */
        struct rpc_call call;
        struct str stamps;          /* what the response was read from, packed; ptr NULL: not asked for, or unknown */
        struct grpc_upload *upload; /* for a method with a body (grpc_upload.h) */
};

/* Reads the metadata and sets the deadline: the client's, capped by the method's. False: something is repeated or
 * malformed, as the problem says. */
bool grpc_request_read_head(struct grpc_request *r, struct rpc_problem *problem);
/* Authenticates and authorises the caller, for the rest of the request. On failure the call's problem says why. */
SN_CHECKED sn_status grpc_request_admit(struct grpc_request *r, const struct grpc_request_context *context);
/* Handles the request and fills in the response. */
void grpc_request_serve(struct grpc_request *r, const struct grpc_request_context *context, bool expired,
                        struct http_response *response);
/* On the I/O thread that read the request (rpc/inline.h). False: it goes to a worker. */
bool grpc_request_try(struct grpc_request *r, const struct grpc_request_context *context,
                      struct http_response *response);
/* The common start of the response to a successful call. */
void grpc_response_begin(struct http_response *response);
/* The trailers of a call that fails after its response has started. */
void grpc_trailers_of_problem(struct arena *arena, const struct rpc_problem *problem, struct http_response *response);
/* The response to a failed call, with headers only, as the protocol requires. */
void grpc_response_of_problem(struct arena *arena, const struct rpc_problem *problem, struct http_response *response);

#endif
