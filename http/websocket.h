/* WebSocket (RFC 6455): the handshake's key, reading frames from a client and writing frames to it. Uses no socket
 * and no clock. A protocol error fails the connection with the close code that the RFC requires. The result does not
 * depend on how the bytes are split. No extensions. */
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

/* The result of reading bytes. */
enum websocket_kind {
        WEBSOCKET_MORE, /* all bytes were consumed without completing anything */
        WEBSOCKET_TEXT, /* valid UTF-8 */
        WEBSOCKET_BINARY,
        WEBSOCKET_PING,
        WEBSOCKET_PONG,
        WEBSOCKET_CLOSE,  /* code and payload: the reason */
        WEBSOCKET_FAILED, /* code and payload: the error. Nothing may be read after it. */
};

struct websocket_event {
        enum websocket_kind kind;
        int code;
        struct str payload; /* valid until the next call */
};

/* The reading side of a connection. It holds memory only while a message is being received. */
struct websocket {
        struct buf message; /* received so far */
        uint64_t left;      /* of the current frame's payload */
        uint32_t masked_at;
        uint8_t mask[4];
        uint8_t head[WEBSOCKET_FRAME_HEAD_SIZE];
        uint8_t head_len; /* bytes received of the next frame's header */
        uint8_t control[WEBSOCKET_CONTROL_BYTES];
        uint8_t control_len;
        uint8_t opcode;          /* of the current frame */
        uint8_t message_opcode;  /* of the message being received; 0: none */
        uint8_t empty_fragments; /* of that message */
        bool in_frame, final, taken, failed;
        size_t max_message_bytes;
};

/* Computes Sec-WebSocket-Accept from Sec-WebSocket-Key. False if the key is not 16 bytes in base64. */
bool websocket_accept(const char *key, char accept[WEBSOCKET_ACCEPT_SIZE]);

void websocket_init(struct websocket *w, size_t max_message_bytes);
void websocket_free(struct websocket *w);
/* Consumes bytes from the front of *in, up to the end of the next message or control frame. */
struct websocket_event websocket_read(struct websocket *w, struct str *in);

/* Appends one complete frame, unmasked, as servers must. */
void websocket_write(struct buf *out, enum websocket_opcode opcode, const void *payload, size_t len);
/* Appends a close frame, truncating the reason to what fits. */
void websocket_write_close(struct buf *out, int code, const char *reason);

#endif
