/* WebSocket (RFC 6455) from bytes: the handshake's key, the frames that a client sends, and those that it is sent. No
 * socket, no clock. Whatever breaks the protocol fails the connection with the close code that the RFC names. The
 * result does not depend on how the bytes were cut into pieces. No extensions. */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/str.h"

#define WEBSOCKET_ACCEPT_SIZE     29
#define WEBSOCKET_CONTROL_BYTES   125 /* the longest payload of a control frame */
#define WEBSOCKET_FRAME_HEAD_SIZE 14

/* Close codes (RFC 6455, 7.4.1, and the registry that it opens). */
enum websocket_code {
        WEBSOCKET_NORMAL = 1000,
        WEBSOCKET_GOING_AWAY = 1001,
        WEBSOCKET_PROTOCOL_ERROR = 1002,
        WEBSOCKET_UNSUPPORTED_DATA = 1003,
        WEBSOCKET_NO_CODE = 1005, /* never sent: the client's close frame was empty */
        WEBSOCKET_INVALID_DATA = 1007,
        WEBSOCKET_POLICY = 1008,
        WEBSOCKET_TOO_BIG = 1009,
        WEBSOCKET_INTERNAL_ERROR = 1011,
};

enum websocket_opcode {
        WEBSOCKET_OP_CONTINUATION = 0,
        WEBSOCKET_OP_TEXT = 1,
        WEBSOCKET_OP_BINARY = 2,
        WEBSOCKET_OP_CLOSE = 8,
        WEBSOCKET_OP_PING = 9,
        WEBSOCKET_OP_PONG = 10,
};

/* What the bytes said. */
enum websocket_kind {
        WEBSOCKET_MORE, /* all are used, and nothing is whole */
        WEBSOCKET_TEXT, /* valid UTF-8 */
        WEBSOCKET_BINARY,
        WEBSOCKET_PING,
        WEBSOCKET_PONG,
        WEBSOCKET_CLOSE,  /* code and payload: the reason */
        WEBSOCKET_FAILED, /* code and payload: what was wrong. Nothing is to be read after it. */
};

struct websocket_event {
        enum websocket_kind kind;
        int code;
        struct str payload; /* until the next call */
};

/* A connection's reading side. It holds memory only while a message is under way. */
struct websocket {
        struct buf message; /* as far as it has come */
        uint64_t left;      /* of the current frame's payload */
        uint32_t masked_at;
        uint8_t mask[4];
        uint8_t head[WEBSOCKET_FRAME_HEAD_SIZE];
        uint8_t head_len; /* of the bytes of the next frame's head that have come */
        uint8_t control[WEBSOCKET_CONTROL_BYTES];
        uint8_t control_len;
        uint8_t opcode;          /* of the current frame */
        uint8_t message_opcode;  /* of the message under way; 0: none */
        uint8_t empty_fragments; /* of it */
        bool in_frame, final, taken, failed;
        size_t max_message_bytes;
};

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. False when the key is not base64 of 16 bytes. */
bool websocket_accept(const char *key, char accept[WEBSOCKET_ACCEPT_SIZE]);

void websocket_init(struct websocket *w, size_t max_message_bytes);
void websocket_free(struct websocket *w);
/* Takes bytes from the front of *in up to the end of the next message or control frame, or all of them. */
struct websocket_event websocket_read(struct websocket *w, struct str *in);

/* Appends one whole frame, unmasked as a server's are. */
void websocket_write(struct buf *out, enum websocket_opcode opcode, const void *payload, size_t len);
/* Appends a close frame; of the reason as much as fits is sent. */
void websocket_write_close(struct buf *out, int code, const char *reason);

#endif
