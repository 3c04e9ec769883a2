/* gRPC over HTTP/2, behind two narrow interfaces: a server on the engine of http/, and a client with one thread for
 * all channels of the process. A method takes and returns one message, unless its contract says that it has a body,
 * a stream of chunks from the client (into c->body), or returns a file, a stream of chunks from the server (from
 * c->file).
 *
 * Metadata: `authorization: Bearer …` (member), `sonet-service` (service token), `traceparent` (W3C),
 * `x-request-id`, `idempotency-key`; from our own services also `sonet-client-address` and `sonet-client-agent-bin`
 * (of the member's client). A problem is sent as status code, message (its detail) and the trailer
 * `sonet-problem-bin` (a packed sonet.Problem). External callers are rate-limited as over REST, with the trailers
 * `ratelimit` and `ratelimit-policy`. Deadlines are gRPC's own, capped by the method's. */
#ifndef RPC_GRPC_H
#define RPC_GRPC_H

#include "base/buf.h"
#include "rpc/rpc.h"

struct grpc_tls {
        const char *certificate_pem, *key_pem; /* NULL: no TLS, allowed on loopback only */
        /* Client certificates of this CA are requested (mTLS); the SAN or CN, "note", identifies the calling service.
         */
        const char *ca_pem;
};

struct sonet_grpc_server;

/* Serves all public, scoped and internal methods of the local services, grpc.health.v1.Health/Check ("" and each
 * service of the packages; SERVING if ready(context) returns true), and server reflection v1 and v1alpha
 * (rpc/reflection.h). address: "127.0.0.1:8081"; port 0: any. Requests run in the lanes and fail with
 * RESOURCE_EXHAUSTED when these are full. Messages over 4 MiB are rejected. */
SN_CHECKED sn_status sonet_grpc_server_start(const char *address, const struct grpc_tls *tls,
                                             const struct rpc_lanes *lanes, int max_connections,
                                             bool (*ready)(void *context), void *context,
                                             struct sonet_grpc_server **server, struct buf *error);
int sonet_grpc_server_port(const struct sonet_grpc_server *server);
void sonet_grpc_server_stop(struct sonet_grpc_server *server, int grace_ms); /* lets running calls finish; takes NULL */

struct sonet_grpc_channel;
/* url: "grpc://host:port" (loopback only) or "grpcs://host:port". Connects on demand and reconnects after failures.
 * max_calls: concurrent calls; further ones wait while the callee responds and fail if it does not
 * (rpc/callee_bound.h). */
SN_CHECKED sn_status sonet_grpc_channel_open(const char *url, const struct grpc_tls *tls, int max_calls,
                                             struct sonet_grpc_channel **channel, struct buf *error);
/* Blocking call from any thread. service_token may be NULL. A body is sent from c->body for as long as the callee
 * keeps reading it (the method's stall_ms). If the response is a file, it returns after the first message, and
 * c->file is a non-blocking pipe through which the bytes arrive at the reader's pace; it ends early if the callee
 * fails. */
SN_CHECKED sn_status sonet_grpc_channel_call(struct sonet_grpc_channel *channel, struct rpc_call *c,
                                             const struct rpc_method *m, const char *service_token,
                                             const ProtobufCMessage *in, ProtobufCMessage *out);
void sonet_grpc_channel_close(struct sonet_grpc_channel *channel);

#endif
