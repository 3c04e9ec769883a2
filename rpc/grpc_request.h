/* One request of the gRPC server, from its arrival to its answer. Used by grpc_server.c, which owns the queue that it
 * moves on. */
#ifndef RPC_GRPC_REQUEST_H
#define RPC_GRPC_REQUEST_H

#include "rpc/grpc_common.h"
#include "rpc/rate_limit.h"

enum served_kind { SERVED_METHOD, SERVED_HEALTH, SERVED_UNKNOWN };

/* What the server listens for: each method of each local service, the health check, and all the rest. */
struct served {
        enum served_kind kind;
        const struct rpc_method *method; /* of SERVED_METHOD */
        struct service *service;
        void *handle; /* the library's, for what is registered by name */
};

/* A place where the library puts the next call of one kind; then that call. */
struct grpc_request {
        struct work work; /* first: the worker gets a pointer to it */
        struct sonet_grpc_server *server;
        const struct served *served;
        grpc_completion_queue_functor ended; /* the tag of the answer: runs once it is sent or given up */
        int cancelled;
        grpc_call *call;
        gpr_timespec deadline;
        grpc_call_details details; /* of unknown methods */
        grpc_metadata_array metadata;
        grpc_byte_buffer *payload; /* NULL: none came, or it was too large */
        struct rate_verdict rate;  /* of who asks from outside */
        grpc_metadata trailers[3];
        size_t n_trailers;
};

struct grpc_request_context {
        bool (*ready)(void *context);
        void *context;
        bool trusts_certificates; /* clients' certificates were checked against our own CA */
};

struct grpc_request *grpc_request_new(struct sonet_grpc_server *server, const struct served *served);
void grpc_request_free(struct grpc_request *r);
/* Monotonic: the client's deadline, cut to the method's. */
int64_t grpc_request_deadline_us(const struct grpc_request *r);
/* On a worker: does everything and sends the answer. r is the library's afterwards, until r->ended runs. */
void grpc_request_serve(struct grpc_request *r, const struct grpc_request_context *context, bool expired);
/* At once, on any thread. */
void grpc_request_refuse(struct grpc_request *r, const struct rpc_problem *problem);

#endif
