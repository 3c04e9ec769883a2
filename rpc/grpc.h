/* gRPC over HTTP/2, behind two narrow interfaces: a server on the engine of http/, and a client with one thread for all
 * channels of the process. A method's message is one message, unless its contract says that it has a body, which is a
 * stream of chunks from the client (into c->body), or answers a file, a stream of them from the server (from c->file).
 *
 * Metadata: `authorization: Bearer …` (member), `sonet-service` (service token), `traceparent` (W3C), `x-request-id`,
 * `idempotency-key`; from our own services also `sonet-client-address` and `sonet-client-agent-bin` (where the member
 * is). A problem travels as status code, message (its detail) and the trailer `sonet-problem-bin` (sonet.Problem,
 * packed). Who calls from outside is limited like over REST, and told so in the trailers `ratelimit` and
 * `ratelimit-policy`. Deadlines are gRPC's own, cut to the method's. */
#ifndef RPC_GRPC_H
#define RPC_GRPC_H

#include "base/buf.h"
#include "rpc/rpc.h"

struct grpc_tls {
        const char *certificate_pem, *key_pem; /* NULL: in clear, refused beyond loopback */
        const char *ca_pem; /* asks clients for a certificate of this CA (mTLS); its SAN or CN, "note",
                             * then names the calling service */
};

struct sonet_grpc_server;

/* Serves all public, scoped and internal methods of the local services, grpc.health.v1.Health/Check ("" and each
 * package's service; SERVING when ready(context) says so), and server reflection v1 and v1alpha (rpc/reflection.h).
 * address "127.0.0.1:8081", port 0: any. Requests run in the lanes; RESOURCE_EXHAUSTED at once when they are full.
 * Messages over 4 MiB are refused. */
SN_CHECKED sn_status sonet_grpc_server_start(const char *address, const struct grpc_tls *tls,
                                             const struct rpc_lanes *lanes, int max_connections,
                                             bool (*ready)(void *context), void *context,
                                             struct sonet_grpc_server **server, struct buf *error);
int sonet_grpc_server_port(const struct sonet_grpc_server *server);
void sonet_grpc_server_stop(struct sonet_grpc_server *server, int grace_ms); /* finishes what runs; takes NULL */

struct sonet_grpc_channel;
/* url: "grpc://host:port" (loopback only) or "grpcs://host:port". Connects on demand and again after failures.
 * max_calls: at a time; further ones wait while the callee answers, and are refused when it does not
 * (rpc/callee_bound.h). */
SN_CHECKED sn_status sonet_grpc_channel_open(const char *url, const struct grpc_tls *tls, int max_calls,
                                             struct sonet_grpc_channel **channel, struct buf *error);
/* Blocking call from any thread. service_token may be NULL. A body is sent from c->body, for as long as the callee
 * takes it (the method's stall_ms). For an answer that is a file it returns with the first message, and c->file is a
 * pipe (non-blocking) through which the bytes come at their reader's pace; it ends early when the callee fails. */
SN_CHECKED sn_status sonet_grpc_channel_call(struct sonet_grpc_channel *channel, struct rpc_call *c,
                                             const struct rpc_method *m, const char *service_token,
                                             const ProtobufCMessage *in, ProtobufCMessage *out);
void sonet_grpc_channel_close(struct sonet_grpc_channel *channel);

#endif
