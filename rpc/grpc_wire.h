/* The gRPC wire format on top of HTTP/2 (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md): message framing, timeouts,
 * and texts and binary values in metadata. Uses no socket and no thread. */
#ifndef RPC_GRPC_WIRE_H
#define RPC_GRPC_WIRE_H

#include "base/buf.h"
#include "base/str.h"
#include "rpc/grpc.h"

enum {
        GRPC_MESSAGE_BYTES = 4 * 1024 * 1024,
        GRPC_PREFIX_BYTES = 5, /* before each message: compression flag and length */
        GRPC_ARENA_BYTES = 16 * 1024 * 1024,
        GRPC_TEXT_BYTES = 1024, /* of a text in a trailer: clients reject trailers over 8 KiB */
        GRPC_HEADER_BYTES = 16 * 1024,
};

#define MD_AUTHORIZATION   "authorization"
#define MD_SERVICE         "sonet-service"
#define MD_TRACEPARENT     "traceparent"
#define MD_REQUEST_ID      "x-request-id"
#define MD_IDEMPOTENCY_KEY "idempotency-key"
/* The client address of the member's request, trusted only from our own services. The agent is binary, since user
 * agents may contain any bytes. */
#define MD_CLIENT_ADDRESS "sonet-client-address"
#define MD_CLIENT_AGENT   "sonet-client-agent-bin"
/* When the member's token was verified (Unix time in seconds), for a call that has since waited for a body; trusted
 * like the address. */
#define MD_ADMITTED "sonet-admitted"
#define MD_PROBLEM  "sonet-problem-bin"
/* From a caller that records: the memory of its stamps. In the trailers: what the answer was read from
 * (base/shared_stamps.h). */
#define MD_STAMPS_MEMORY     "sonet-stamps-memory"
#define MD_STAMPS            "sonet-stamps-bin"
#define MD_RATE_LIMIT        "ratelimit"
#define MD_RATE_LIMIT_POLICY "ratelimit-policy"
/* For a body in chunks: the client's name and type for the file. From our own services also that it was truncated. */
#define MD_FILE_NAME       "sonet-file-name-bin"
#define MD_MIME_TYPE       "sonet-mime-type-bin"
#define MD_BROKEN_OFF      "sonet-broken-off"
#define MD_STATUS          "grpc-status"
#define MD_MESSAGE         "grpc-message"
#define MD_TIMEOUT         "grpc-timeout"
#define MD_ENCODING        "grpc-encoding"
#define MD_ACCEPT_ENCODING "grpc-accept-encoding"
#define GRPC_CONTENT_TYPE  "application/grpc"

/* "application/grpc" or "application/grpc+proto", with or without parameters. */
bool grpc_is_content_type(const char *value);

/* ---- Messages ---- */

enum grpc_frame { GRPC_FRAME_WHOLE, GRPC_FRAME_PART, GRPC_FRAME_TOO_LARGE, GRPC_FRAME_MALFORMED };

/* The first message in the bytes, as received. GRPC_FRAME_PART: incomplete. */
enum grpc_frame grpc_frame_read(struct str bytes, bool *compressed, struct str *message);
/* Unpacks a message, from gzip if it is compressed; TOO_LARGE if the result exceeds max_bytes. *out is in the arena
 * or in message. */
enum grpc_frame grpc_frame_unpack(struct arena *arena, struct str message, bool compressed, size_t max_bytes,
                                  struct str *out);
/* The only message of a unary request or response, unpacked from gzip if allowed. A message of more than 4 MiB
 * unpacked is too large; *out is in the arena or in bytes. */
enum grpc_frame grpc_frame_only(struct arena *arena, struct str bytes, bool gzip_allowed, struct str *out);
/* Packs a message after its prefix. Initialises out. False if it exceeds 4 MiB. */
bool grpc_frame_write(const ProtobufCMessage *message, struct buf *out);

/* ---- Metadata ---- */

/* "250m" to microseconds; false if malformed. More than a day becomes a day. */
bool grpc_timeout_read(struct str value, int64_t *us);
char *grpc_timeout_write(struct arena *arena, int64_t us);
/* A status message: percent-encoded UTF-8, cut between code points so that at most GRPC_TEXT_BYTES are encoded. */
char *grpc_text_write(struct arena *arena, const char *text);
char *grpc_text_read(struct arena *arena, struct str value);
/* Values of metadata whose names end in "-bin": base64 without padding; read with or without. */
char *grpc_binary_write(struct arena *arena, struct str bytes);
bool grpc_binary_read(struct arena *arena, struct str value, struct str *bytes);
/* Whether HTTP/2 can carry the text unencoded: visible ASCII, and spaces inside. */
bool grpc_is_plain_value(const char *value);

/* ---- Problems ---- */

/* The problem of a failed call as the value of MD_PROBLEM, and back; parts that cannot be read are left out. */
char *grpc_problem_write(struct arena *arena, const struct rpc_problem *problem);
/* m: the method that failed. */
void grpc_problem_read(struct rpc_call *c, const struct rpc_method *m, struct str value, struct rpc_problem *problem);

#endif
