/* What gRPC puts into HTTP/2 (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md), from bytes and to bytes: no socket, no
 * thread. Messages in their frames, time-outs, texts and binary values of metadata. */
#ifndef RPC_GRPC_WIRE_H
#define RPC_GRPC_WIRE_H

#include "base/buf.h"
#include "base/str.h"
#include "rpc/grpc.h"

enum {
        GRPC_MESSAGE_BYTES = 4 * 1024 * 1024,
        GRPC_PREFIX_BYTES = 5, /* before each message: whether it is compressed, and its length */
        GRPC_ARENA_BYTES = 16 * 1024 * 1024,
        GRPC_TEXT_BYTES = 1024, /* of a text in a trailer: clients refuse trailers over 8 KiB */
        GRPC_HEADER_BYTES = 16 * 1024,
};

#define MD_AUTHORIZATION   "authorization"
#define MD_SERVICE         "sonet-service"
#define MD_TRACEPARENT     "traceparent"
#define MD_REQUEST_ID      "x-request-id"
#define MD_IDEMPOTENCY_KEY "idempotency-key"
/* Where the member's request came from, believed only from our own services. Binary, because browsers name
 * themselves in any bytes. */
#define MD_CLIENT_ADDRESS "sonet-client-address"
#define MD_CLIENT_AGENT   "sonet-client-agent-bin"
/* When the member's token was verified, in seconds of Unix time, of a call that waited for a body since; believed as
 * the address is. */
#define MD_ADMITTED          "sonet-admitted"
#define MD_PROBLEM           "sonet-problem-bin"
#define MD_RATE_LIMIT        "ratelimit"
#define MD_RATE_LIMIT_POLICY "ratelimit-policy"
/* Of a body in chunks: what its client calls the file, and its type. From our own services also that it broke off. */
#define MD_FILE_NAME       "sonet-file-name-bin"
#define MD_MIME_TYPE       "sonet-mime-type-bin"
#define MD_BROKEN_OFF      "sonet-broken-off"
#define MD_STATUS          "grpc-status"
#define MD_MESSAGE         "grpc-message"
#define MD_TIMEOUT         "grpc-timeout"
#define MD_ENCODING        "grpc-encoding"
#define MD_ACCEPT_ENCODING "grpc-accept-encoding"
#define GRPC_CONTENT_TYPE  "application/grpc"

/* "application/grpc", "application/grpc+proto", with parameters or without. */
bool grpc_is_content_type(const char *value);

/* ---- Messages ---- */

enum grpc_frame { GRPC_FRAME_WHOLE, GRPC_FRAME_PART, GRPC_FRAME_TOO_LARGE, GRPC_FRAME_MALFORMED };

/* The first message of some bytes, as it came. GRPC_FRAME_PART: more bytes must come. */
enum grpc_frame grpc_frame_read(struct str bytes, bool *compressed, struct str *message);
/* A message as it came, unpacked from gzip when it is; TOO_LARGE when that gives more than max_bytes. *out lives in the
 * arena or in message. */
enum grpc_frame grpc_frame_unpack(struct arena *arena, struct str message, bool compressed, size_t max_bytes,
                                  struct str *out);
/* The only message of a unary request or answer, unpacked from gzip when it is and may be. A message that would unpack
 * to over 4 MiB is too large; *out lives in the arena or in bytes. */
enum grpc_frame grpc_frame_only(struct arena *arena, struct str bytes, bool gzip_allowed, struct str *out);
/* Packs a message behind its prefix. out is made here. False when it is over 4 MiB. */
bool grpc_frame_write(const ProtobufCMessage *message, struct buf *out);

/* ---- Metadata ---- */

/* "250m" to microseconds; false when it is malformed. More than a day is a day. */
bool grpc_timeout_read(struct str value, int64_t *us);
char *grpc_timeout_write(struct arena *arena, int64_t us);
/* A status message: percent-encoded UTF-8, cut to GRPC_TEXT_BYTES between code points before that. */
char *grpc_text_write(struct arena *arena, const char *text);
char *grpc_text_read(struct arena *arena, struct str value);
/* The values of metadata whose names end in "-bin": base64 without padding; read with padding too. */
char *grpc_binary_write(struct arena *arena, struct str bytes);
bool grpc_binary_read(struct arena *arena, struct str value, struct str *bytes);
/* Whether HTTP/2 can carry the text as it is: visible ASCII, and spaces within. */
bool grpc_is_plain_value(const char *value);

/* ---- Problems ---- */

/* The problem of a failed call as the value of MD_PROBLEM, and back: what cannot be read is left out. */
char *grpc_problem_write(struct arena *arena, const struct rpc_problem *problem);
/* m: whose problem it is. */
void grpc_problem_read(struct rpc_call *c, const struct rpc_method *m, struct str value, struct rpc_problem *problem);

#endif
