/* Values of gRPC metadata: timeouts, texts, binary values, and problems. */
#include "rpc/grpc_wire.h"

#include <string.h>

#include "sonet/problem.rpc.h"

enum { TIMEOUT_DIGITS_MAX = 8 };
#define DAY_US (INT64_C(86400) * 1000000)

bool grpc_is_content_type(const char *value)
{
        static const struct str type = STR(GRPC_CONTENT_TYPE);
        struct str given = str_of(value);
        return given.len >= type.len && str_equal_nocase((struct str){given.ptr, type.len}, type) &&
               (given.len == type.len || strchr("+; ", given.ptr[type.len]) != NULL);
}

/* ---- Timeouts ---- */

static int64_t unit_us(char unit, int64_t value)
{
        switch (unit) {
        case 'H':
                return value * 3600 * 1000000;
        case 'M':
                return value * 60 * 1000000;
        case 'S':
                return value * 1000000;
        case 'm':
                return value * 1000;
        case 'u':
                return value;
        case 'n':
                return value / 1000;
        default:
                return -1;
        }
}

bool grpc_timeout_read(struct str value, int64_t *us)
{
        int64_t number;
        if (value.len < 2 || value.len > TIMEOUT_DIGITS_MAX + 1 ||
            !str_to_i64((struct str){value.ptr, value.len - 1}, &number)) {
                return false;
        }
        int64_t in_us = unit_us(value.ptr[value.len - 1], number);
        *us = in_us < DAY_US ? in_us : DAY_US;
        return number >= 0 && in_us >= 0;
}

char *grpc_timeout_write(struct arena *arena, int64_t us)
{
        us = us < 0 ? 0 : us < DAY_US ? us : DAY_US;
        return us < 100000000 ? arena_printf(arena, "%lldu", (long long)us)
                              : arena_printf(arena, "%lldm", (long long)(us / 1000));
}

/* ---- Texts ---- */

/* Cuts between code points. */
static size_t cut_len(const char *text)
{
        size_t len = strnlen(text, GRPC_TEXT_BYTES);
        if (len == GRPC_TEXT_BYTES) {
                len--;
                while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80) {
                        len--;
                }
        }
        return len;
}

char *grpc_text_write(struct arena *arena, const char *text)
{
        static const char digits[] = "0123456789ABCDEF";
        size_t len = cut_len(text), n = 0;
        char *out = arena_alloc(arena, len * 3 + 1);
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char)text[i];
                if (c >= 0x20 && c < 0x7F && c != '%') {
                        out[n++] = (char)c;
                        continue;
                }
                out[n++] = '%';
                out[n++] = digits[c >> 4];
                out[n++] = digits[c & 15];
        }
        return out;
}

static int hex_value(char c)
{
        const char *digits = "0123456789abcdef", *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
        return c >= '0' && c <= '9' ? c - '0' : at != NULL && (c | 0x20) >= 'a' ? (int)(at - digits) : -1;
}

/* Malformed escapes are kept as they are, as the protocol requires. */
char *grpc_text_read(struct arena *arena, struct str value)
{
        char *out = arena_alloc(arena, value.len + 1);
        size_t n = 0;
        for (size_t i = 0; i < value.len; i++) {
                int high = i + 2 < value.len && value.ptr[i] == '%' ? hex_value(value.ptr[i + 1]) : -1;
                int low = high >= 0 ? hex_value(value.ptr[i + 2]) : -1;
                out[n++] = low >= 0 ? (char)(high << 4 | low) : value.ptr[i];
                i += low >= 0 ? 2 : 0;
        }
        return out;
}

bool grpc_is_plain_value(const char *value)
{
        size_t len = strlen(value);
        for (size_t i = 0; i < len; i++) {
                if ((unsigned char)value[i] < 0x20 || (unsigned char)value[i] >= 0x7F) {
                        return false;
                }
        }
        return len > 0 && value[0] != ' ' && value[len - 1] != ' ';
}

/* ---- Binary values (RFC 4648, 4) ---- */

char *grpc_binary_write(struct arena *arena, struct str bytes)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        char *out = arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
        size_t n = 0;
        unsigned int held = 0, bits = 0;
        for (size_t i = 0; i < bytes.len; i++) {
                held = held << 8 | (unsigned char)bytes.ptr[i];
                for (bits += 8; bits >= 6; bits -= 6) {
                        out[n++] = digits[held >> (bits - 6) & 63];
                }
        }
        if (bits > 0) {
                out[n] = digits[held << (6 - bits) & 63];
        }
        return out;
}

static int base64_value(char c)
{
        return c >= 'A' && c <= 'Z'   ? c - 'A'
               : c >= 'a' && c <= 'z' ? c - 'a' + 26
               : c >= '0' && c <= '9' ? c - '0' + 52
               : c == '+'             ? 62
               : c == '/'             ? 63
                                      : -1;
}

bool grpc_binary_read(struct arena *arena, struct str value, struct str *bytes)
{
        while (value.len > 0 && value.ptr[value.len - 1] == '=') {
                value.len--;
        }
        char *out = arena_alloc(arena, value.len / 4 * 3 + 3);
        size_t n = 0;
        unsigned int held = 0, bits = 0;
        for (size_t i = 0; i < value.len; i++) {
                int six = base64_value(value.ptr[i]);
                if (six < 0) {
                        return false;
                }
                held = held << 6 | (unsigned int)six;
                bits += 6;
                if (bits >= 8) {
                        bits -= 8;
                        out[n++] = (char)(held >> bits);
                }
        }
        *bytes = (struct str){out, n};
        return value.len % 4 != 1;
}

/* ---- Problems ---- */

static char *cut_text(struct arena *arena, const char *text)
{
        return text != NULL ? arena_strndup(arena, text, cut_len(text)) : arena_strdup(arena, "");
}

char *grpc_problem_write(struct arena *arena, const struct rpc_problem *problem)
{
        Sonet__Problem message = SONET__PROBLEM__INIT;
        message.status = (uint32_t)problem->status;
        message.code = cut_text(arena, problem->code);
        message.field = cut_text(arena, problem->field);
        message.detail = cut_text(arena, problem->detail);
        message.retry_after_s = (uint32_t)problem->retry_after_s;
        if (problem->challenge != NULL) {
                message.challenge.data =
                    (uint8_t *)rpc_pack(arena, problem->challenge->message, &message.challenge.len);
        }
        size_t len;
        const uint8_t *packed = rpc_pack(arena, &message.base, &len);
        return grpc_binary_write(arena, (struct str){(const char *)packed, len});
}

static void read_challenge(struct rpc_call *c, const struct rpc_method *m, const ProtobufCBinaryData *bytes,
                           struct rpc_problem *problem)
{
        ProtobufCMessage *challenge;
        if (bytes->len > 0 && m->challenge != NULL &&
            rpc_unpack(c, m->challenge, bytes->data, bytes->len, &challenge) == SN_OK) {
                struct rpc_challenge *given = ARENA_NEW(c->arena, struct rpc_challenge);
                *given = (struct rpc_challenge){m->challenge, challenge};
                problem->challenge = given;
        }
}

void grpc_problem_read(struct rpc_call *c, const struct rpc_method *m, struct str value, struct rpc_problem *problem)
{
        struct str bytes;
        ProtobufCMessage *unpacked;
        if (!grpc_binary_read(c->arena, value, &bytes) ||
            rpc_unpack(c, &sonet__problem__message, (const uint8_t *)bytes.ptr, bytes.len, &unpacked) != SN_OK) {
                return; /* keep the status, with its default sentence */
        }
        const Sonet__Problem *message = (const Sonet__Problem *)unpacked;
        problem->code = message->code[0] != '\0' ? message->code : NULL;
        problem->field = message->field[0] != '\0' ? message->field : NULL;
        problem->detail = message->detail[0] != '\0' ? message->detail : NULL;
        problem->retry_after_s = message->retry_after_s <= 3600 ? (int)message->retry_after_s : 3600;
        read_challenge(c, m, &message->challenge, problem);
}
