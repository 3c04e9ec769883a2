/* What both ends of gRPC share: the library's life, addresses, channel arguments, slices, metadata names, problems as
 * trailers. */
#ifndef RPC_GRPC_COMMON_H
#define RPC_GRPC_COMMON_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <signal.h>

#include "rpc/grpc.h"

enum {
        SONET_GRPC_MESSAGE_BYTES = 4 * 1024 * 1024,
        SONET_GRPC_ARENA_BYTES = 16 * 1024 * 1024,
        SONET_GRPC_ARGS = 24,
        SONET_GRPC_TEXT_BYTES = 1024,
};

#define MD_AUTHORIZATION   "authorization"
#define MD_SERVICE         "sonet-service"
#define MD_TRACEPARENT     "traceparent"
#define MD_REQUEST_ID      "x-request-id"
#define MD_IDEMPOTENCY_KEY "idempotency-key"
/* Where the member's request came from, believed only from our own services. Binary, because browsers name
 * themselves in any bytes. */
#define MD_CLIENT_ADDRESS    "sonet-client-address"
#define MD_CLIENT_AGENT      "sonet-client-agent-bin"
#define MD_PROBLEM           "sonet-problem-bin"
#define MD_RATE_LIMIT        "ratelimit"
#define MD_RATE_LIMIT_POLICY "ratelimit-policy"

/* Each server and each channel holds the library; a process without either never starts it. */
void sonet_grpc_acquire(void);
void sonet_grpc_release(void);
/* Signals are the main thread's business: around whatever starts threads, the library's own too. */
void sonet_grpc_block_signals(sigset_t *before);

/* True for 127.0.0.0/8, ::1 and localhost; host_and_port as in "[::1]:8081". */
bool sonet_grpc_is_loopback(const char *host_and_port);

/* A list of channel arguments: the common ones first, the caller adds its own. */
struct sonet_grpc_args {
        grpc_arg list[SONET_GRPC_ARGS];
        size_t n;
};
void sonet_grpc_args_common(struct sonet_grpc_args *args);
void sonet_grpc_args_int(struct sonet_grpc_args *args, const char *key, int value);

/* A view of a slice; it must stay where it is. */
struct str sonet_grpc_view(const grpc_slice *slice);
/* Packs a message straight into a slice. */
grpc_slice sonet_grpc_pack(const ProtobufCMessage *message);
/* All bytes of a received message as one slice, to be released by the caller. False when the bytes are compressed
 * (which we never accept: 4 MiB of gzip can hold 4 GiB) or too many. */
bool sonet_grpc_bytes(grpc_byte_buffer *message, grpc_slice *bytes);

/* A copy of a text, cut to what fits into a trailer. */
grpc_slice sonet_grpc_text(const char *text);
/* The problem of a failed call as the value of MD_PROBLEM, and back. */
grpc_slice sonet_grpc_problem_pack(const struct rpc_problem *problem);
void sonet_grpc_problem_unpack(struct rpc_call *c, struct str bytes, struct rpc_problem *problem);

#endif
