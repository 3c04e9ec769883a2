/* WebSocket frames: reads a client's, writes a server's. */
#include "http/websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

enum { FINAL_BIT = 0x80, RESERVED_BITS = 0x70, OPCODE_BITS = 0x0F, MASK_BIT = 0x80, LENGTH_16 = 126, LENGTH_64 = 127 };

/* --- the handshake --- */

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3 */

enum { KEY_CHARS = 24, KEY_BYTES = 16 };

enum { EMPTY_FRAGMENTS_MAX = 16 };

bool websocket_accept(const char *key, char accept[WEBSOCKET_ACCEPT_SIZE])
{
        unsigned char decoded[KEY_BYTES + 2], hash[SHA_DIGEST_LENGTH];
        char text[KEY_CHARS + sizeof(GUID)];

        if (strlen(key) != KEY_CHARS || strcmp(key + KEY_CHARS - 2, "==") != 0 ||
            strchr(key, '=') != key + KEY_CHARS - 2 ||
            EVP_DecodeBlock(decoded, (const unsigned char *)key, KEY_CHARS) < 0) {
                return false;
        }
        memcpy(text, key, KEY_CHARS);
        memcpy(text + KEY_CHARS, GUID, sizeof(GUID));
        SHA1((const unsigned char *)text, KEY_CHARS + sizeof(GUID) - 1, hash);
        EVP_EncodeBlock((unsigned char *)accept, hash, sizeof(hash));
        return true;
}

/* --- reading --- */

void websocket_init(struct websocket *w, size_t max_message_bytes)
{
        *w = (struct websocket){.max_message_bytes = max_message_bytes};
        buf_init(&w->message, max_message_bytes);
}

void websocket_free(struct websocket *w)
{
        buf_free(&w->message);
}

static struct websocket_event fail_frame(struct websocket *w, int code, const char *why)
{
        w->failed = true;
        return (struct websocket_event){WEBSOCKET_FAILED, code, str_of(why)};
}

static bool is_control(const struct websocket *w)
{
        return w->opcode >= WEBSOCKET_OP_CLOSE;
}

/* The length of the header, as given by its first two bytes. */
static size_t head_size(const struct websocket *w)
{
        unsigned length = w->head_len < 2 ? 0 : w->head[1] & 0x7Fu;
        size_t more = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;

        return 2 + more + ((w->head_len < 2 || (w->head[1] & MASK_BIT) != 0) ? 4 : 0);
}

static uint64_t read_number(const uint8_t *bytes, int n)
{
        uint64_t number = 0;

        for (int i = 0; i < n; i++) {
                number = number << 8 | bytes[i];
        }
        return number;
}

static const char *check_opcode(const struct websocket *w)
{
        switch (w->opcode) {
        case WEBSOCKET_OP_CONTINUATION:
                return w->message_opcode != 0 ? NULL : "continuation frame without a message to continue";
        case WEBSOCKET_OP_TEXT:
        case WEBSOCKET_OP_BINARY:
                return w->message_opcode == 0 ? NULL : "new message inside a fragmented one";
        case WEBSOCKET_OP_CLOSE:
        case WEBSOCKET_OP_PING:
        case WEBSOCKET_OP_PONG:
                return w->final ? NULL : "control frames must not be fragmented";
        default:
                return "unknown opcode";
        }
}

/* Checks the two bytes that every frame starts with. NULL: valid. */
static const char *check_start(struct websocket *w)
{
        w->final = (w->head[0] & FINAL_BIT) != 0;
        w->opcode = w->head[0] & OPCODE_BITS;
        if ((w->head[0] & RESERVED_BITS) != 0) {
                return "reserved bit set without a negotiated extension";
        }
        if ((w->head[1] & MASK_BIT) == 0) {
                return "client frames must be masked";
        }
        if (is_control(w) && (w->head[1] & 0x7F) > WEBSOCKET_CONTROL_BYTES) {
                return "control frame longer than 125 bytes";
        }
        return check_opcode(w);
}

/* NULL: w->left is the length. */
static const char *read_length(struct websocket *w)
{
        unsigned length = w->head[1] & 0x7Fu;

        w->left = length;
        if (length == LENGTH_16) {
                w->left = read_number(w->head + 2, 2);
                return w->left >= LENGTH_16 ? NULL : "the frame length is not minimally encoded";
        }
        if (length == LENGTH_64) {
                w->left = read_number(w->head + 2, 8);
                return w->left > UINT16_MAX && w->left >> 63 == 0 ? NULL : "the frame length is not minimally encoded";
        }
        return NULL;
}

static void begin_frame(struct websocket *w)
{
        memcpy(w->mask, w->head + w->head_len - 4, 4);
        w->in_frame = true;
        w->masked_at = 0;
        w->head_len = 0;
        w->control_len = 0;
        if (!is_control(w) && w->opcode != WEBSOCKET_OP_CONTINUATION) {
                w->message_opcode = w->opcode;
                w->empty_fragments = 0;
        }
}

/* WEBSOCKET_MORE: continue in the frame or with more bytes. */
static struct websocket_event read_head(struct websocket *w, struct str *in)
{
        const char *wrong = NULL;

        while (in->len > 0 && w->head_len < head_size(w)) {
                w->head[w->head_len++] = (uint8_t)*in->ptr++;
                in->len--;
                if (w->head_len == 2 && (wrong = check_start(w)) != NULL) {
                        return fail_frame(w, WEBSOCKET_PROTOCOL_ERROR, wrong);
                }
        }
        if (w->head_len < 2 || w->head_len < head_size(w)) {
                return (struct websocket_event){.kind = WEBSOCKET_MORE};
        }
        if ((wrong = read_length(w)) != NULL) {
                return fail_frame(w, WEBSOCKET_PROTOCOL_ERROR, wrong);
        }
        if (!is_control(w) && w->left > w->max_message_bytes - w->message.len) {
                return fail_frame(w, WEBSOCKET_TOO_BIG, "the message is larger than this server accepts");
        }
        begin_frame(w);
        return (struct websocket_event){.kind = WEBSOCKET_MORE};
}

static void unmask(struct websocket *w, char *bytes, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                bytes[i] = (char)((uint8_t)bytes[i] ^ w->mask[w->masked_at++ & 3]);
        }
}

static bool take_payload(struct websocket *w, struct str *in)
{
        size_t n = in->len < w->left ? in->len : (size_t)w->left;

        if (is_control(w)) {
                memcpy(w->control + w->control_len, in->ptr, n);
                unmask(w, (char *)w->control + w->control_len, n);
                w->control_len += (uint8_t)n;
        } else if (n > 0) {
                size_t at = w->message.len;

                buf_append(&w->message, in->ptr, n);
                if (w->message.overflow) {
                        return false;
                }
                unmask(w, w->message.data + at, n);
        }
        in->ptr += n;
        in->len -= n;
        w->left -= n;
        return true;
}

/* RFC 6455, 7.4: codes that an endpoint may send. */
static bool may_be_sent(int code)
{
        return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static struct websocket_event end_close(struct websocket *w)
{
        struct str reason = {(const char *)w->control + 2, (size_t)w->control_len - 2};

        if (w->control_len == 0) {
                return (struct websocket_event){WEBSOCKET_CLOSE, WEBSOCKET_NO_CODE, {"", 0}};
        }
        if (w->control_len == 1 || !may_be_sent((int)read_number(w->control, 2))) {
                return fail_frame(w, WEBSOCKET_PROTOCOL_ERROR, "invalid close code");
        }
        if (!utf8_valid(reason.ptr, reason.len)) {
                return fail_frame(w, WEBSOCKET_INVALID_DATA, "the close reason is not valid UTF-8");
        }
        return (struct websocket_event){WEBSOCKET_CLOSE, (int)read_number(w->control, 2), reason};
}

static struct websocket_event end_control(struct websocket *w)
{
        struct str payload = {(const char *)w->control, w->control_len};

        if (w->opcode == WEBSOCKET_OP_CLOSE) {
                return end_close(w);
        }
        return (struct websocket_event){w->opcode == WEBSOCKET_OP_PING ? WEBSOCKET_PING : WEBSOCKET_PONG, 0, payload};
}

static struct websocket_event end_message(struct websocket *w)
{
        struct str payload = {w->message.data != NULL ? w->message.data : "", w->message.len};
        bool text = w->message_opcode == WEBSOCKET_OP_TEXT;

        w->message_opcode = 0;
        w->taken = true;
        if (text && !utf8_valid(payload.ptr, payload.len)) {
                return fail_frame(w, WEBSOCKET_INVALID_DATA, "the text message is not valid UTF-8");
        }
        return (struct websocket_event){text ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, 0, payload};
}

/* The size limit of a message limits all other fragments. */
static bool ends_in_nothing(struct websocket *w)
{
        bool empty = !w->final && w->masked_at == 0;

        return empty && ++w->empty_fragments > EMPTY_FRAGMENTS_MAX;
}

static struct websocket_event end_frame(struct websocket *w)
{
        w->in_frame = false;
        if (is_control(w)) {
                return end_control(w);
        }
        if (ends_in_nothing(w)) {
                return fail_frame(w, WEBSOCKET_POLICY, "too many empty fragments in one message");
        }
        return w->final ? end_message(w) : (struct websocket_event){.kind = WEBSOCKET_MORE};
}

struct websocket_event websocket_read(struct websocket *w, struct str *in)
{
        struct websocket_event event = {.kind = WEBSOCKET_MORE};

        if (w->taken) {
                buf_free(&w->message);
                buf_init(&w->message, w->max_message_bytes);
                w->taken = false;
        }
        while (event.kind == WEBSOCKET_MORE && in->len > 0 && !w->failed) {
                if (!w->in_frame) {
                        event = read_head(w, in);
                } else if (!take_payload(w, in)) {
                        event = fail_frame(w, WEBSOCKET_INTERNAL_ERROR, "out of memory");
                }
                if (w->in_frame && w->left == 0) {
                        event = end_frame(w);
                }
        }
        return event;
}

/* --- writing --- */

void websocket_write(struct buf *out, enum websocket_opcode opcode, const void *payload, size_t len)
{
        unsigned char head[10] = {(unsigned char)(FINAL_BIT | opcode)};
        size_t n = 2;

        if (len < LENGTH_16) {
                head[1] = (unsigned char)len;
        } else {
                n = len <= UINT16_MAX ? 4 : 10;
                head[1] = n == 4 ? LENGTH_16 : LENGTH_64;
                for (size_t i = 2; i < n; i++) {
                        head[i] = (unsigned char)((uint64_t)len >> (8 * (n - 1 - i)));
                }
        }
        buf_append(out, head, n);
        buf_append(out, payload, len);
}

void websocket_write_close(struct buf *out, int code, const char *reason)
{
        unsigned char payload[WEBSOCKET_CONTROL_BYTES] = {(unsigned char)(code >> 8), (unsigned char)code};
        size_t len = strlen(reason), most = sizeof(payload) - 2;

        while (len > most || (len > 0 && !utf8_valid(reason, len))) { /* cut between characters */
                len = len > most ? most : len - 1;
        }
        memcpy(payload + 2, reason, len);
        websocket_write(out, WEBSOCKET_OP_CLOSE, payload, len + 2);
}
