/* WebSocket frames (RFC 6455), without a socket. */
#include "http/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { MAX_MESSAGE = 1000 };

/* A client's frame, masked. */
static size_t frame(uint8_t *out, unsigned first, const void *payload, size_t len)
{
        static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
        size_t n = 0;

        out[n++] = (uint8_t)first;
        if (len < 126) {
                out[n++] = (uint8_t)(0x80 | len);
        } else {
                out[n++] = 0x80 | 126;
                out[n++] = (uint8_t)(len >> 8);
                out[n++] = (uint8_t)len;
        }
        memcpy(out + n, mask, 4);
        n += 4;
        for (size_t i = 0; i < len; i++) {
                out[n++] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
        }
        return n;
}

/* The parsed events, one per line, however the bytes are split. */
static const char *say(const uint8_t *bytes, size_t len, size_t piece)
{
        static const char *const names[] = {"more", "text", "binary", "ping", "pong", "close", "failed"};
        static char said[4096];
        struct websocket w;
        size_t n = 0;
        bool over = false;

        said[0] = '\0';
        websocket_init(&w, MAX_MESSAGE);
        for (size_t at = 0; at < len && !over; at += piece) {
                struct str in = {(const char *)bytes + at, len - at < piece ? len - at : piece};

                while (in.len > 0 && !over) {
                        struct websocket_event e = websocket_read(&w, &in);

                        if (e.kind != WEBSOCKET_MORE) {
                                n += (size_t)snprintf(said + n, sizeof(said) - n, "%s", names[e.kind]);
                                n += e.code != 0 ? (size_t)snprintf(said + n, sizeof(said) - n, " %d", e.code) : 0;
                                n += e.kind == WEBSOCKET_FAILED ? 0
                                                                : (size_t)snprintf(said + n, sizeof(said) - n, " %.*s",
                                                                                   (int)e.payload.len, e.payload.ptr);
                                n += (size_t)snprintf(said + n, sizeof(said) - n, "\n");
                        }
                        over = e.kind == WEBSOCKET_FAILED;
                }
        }
        websocket_free(&w);
        return said;
}

static void means(const uint8_t *bytes, size_t len, const char *expected)
{
        assert_string_equal(say(bytes, len, len), expected);
        assert_string_equal(say(bytes, len, 1), expected);
        assert_string_equal(say(bytes, len, 3), expected);
}

static void a_key_gets_the_response_of_the_rfc(void **state)
{
        char accept[WEBSOCKET_ACCEPT_SIZE];

        assert_true(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept));
        assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_false(websocket_accept("", accept));
        assert_false(websocket_accept("dGhlIHNhbXBsZSBub25jZQ", accept));
        assert_false(websocket_accept("dGhlIHNhbXBsZSBub25jZXN4", accept)); /* 18 bytes */
        assert_false(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=!", accept));
        assert_false(websocket_accept("dGhlIHN=bXBsZSBub25jZQ==", accept));
}

static void messages_are_read_however_they_are_split(void **state)
{
        uint8_t bytes[2048];
        char long_text[600];
        char expected[700];
        size_t n = frame(bytes, 0x81, "Hello", 5);

        n += frame(bytes + n, 0x82, "raw", 3);
        n += frame(bytes + n, 0x81, "", 0);
        memset(long_text, 'x', sizeof(long_text));
        n += frame(bytes + n, 0x81, long_text, sizeof(long_text));
        snprintf(expected, sizeof(expected), "text Hello\nbinary raw\ntext \ntext %.600s\n", long_text);
        means(bytes, n, expected);
}

static void control_frames_may_be_between_fragments_of_a_message(void **state)
{
        uint8_t bytes[512];
        size_t n = frame(bytes, 0x01, "W\xc3", 2); /* half a character */

        n += frame(bytes + n, 0x89, "are you there", 13);
        n += frame(bytes + n, 0x00, "", 0);
        n += frame(bytes + n, 0x8a, "", 0);
        n += frame(bytes + n, 0x80, "\xb6rt", 3);
        n += frame(bytes + n, 0x81, "next", 4);
        means(bytes, n, "ping are you there\npong \ntext W\xc3\xb6rt\ntext next\n");
}

static void close_frames_have_code_and_reason(void **state)
{
        uint8_t bytes[512];

        means(bytes, frame(bytes, 0x88, "", 0), "close 1005 \n");
        means(bytes, frame(bytes, 0x88, "\x03\xe8 bye", 6), "close 1000  bye\n");
        means(bytes, frame(bytes, 0x88, "\x0f\xa0", 2), "close 4000 \n");
        means(bytes, frame(bytes, 0x88, "\x03", 1), "failed 1002\n");
        means(bytes, frame(bytes, 0x88, "\x03\xed", 2), "failed 1002\n"); /* 1005 is never sent */
        means(bytes, frame(bytes, 0x88, "\x00\x07", 2), "failed 1002\n");
        means(bytes, frame(bytes, 0x88, "\x03\xe8\xff", 3), "failed 1007\n");
}

/* A malformed frame after a valid one. */
static void fails(const uint8_t *wrong, size_t len, int code)
{
        uint8_t bytes[4096];
        char expected[64];
        size_t n = frame(bytes, 0x81, "ok", 2);

        memcpy(bytes + n, wrong, len);
        snprintf(expected, sizeof(expected), "text ok\nfailed %d\n", code);
        means(bytes, n + len, expected);
}

static void protocol_violations_fail_the_connection(void **state)
{
        uint8_t bytes[4096];
        char big[MAX_MESSAGE + 1] = {0};

        fails((const uint8_t *)"\x81\x02hi", 4, 1002);   /* not masked */
        fails(bytes, frame(bytes, 0xC1, "hi", 2), 1002); /* a reserved bit */
        fails(bytes, frame(bytes, 0x83, "hi", 2), 1002); /* opcodes that are not defined */
        fails(bytes, frame(bytes, 0x8b, "hi", 2), 1002);
        fails(bytes, frame(bytes, 0x80, "hi", 2), 1002);                     /* nothing to continue */
        fails(bytes, frame(bytes, 0x09, "hi", 2), 1002);                     /* a fragmented ping */
        fails((const uint8_t *)"\x89\xfe\x00\x7e\x01\x02\x03\x04", 8, 1002); /* a ping of 126 bytes */
        fails((const uint8_t *)"\x81\xfe\x00\x7d\x01\x02\x03\x04", 8, 1002); /* 125 with two bytes of length */
        fails((const uint8_t *)"\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x04", 14, 1002);
        fails((const uint8_t *)"\x81\xff\x80\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x04", 14, 1002);
        fails(bytes, frame(bytes, 0x81, "\xed\xa0\x80", 3), 1007); /* a surrogate */
        fails(bytes, frame(bytes, 0x81, big, sizeof(big)), 1009);
        fails((const uint8_t *)"\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00\x01\x02\x03\x04", 14, 1009);
        size_t n = frame(bytes, 0x01, "hi", 2);
        fails(bytes, n + frame(bytes + n, 0x81, "hi", 2), 1002); /* a message within another */
        n = frame(bytes, 0x01, big, MAX_MESSAGE);
        fails(bytes, n + frame(bytes + n, 0x80, big, 1), 1009); /* too large in total */
}

static void empty_fragments_of_a_message_are_limited(void **state)
{
        uint8_t bytes[1024];
        size_t n = 0;

        for (int i = 0; i < 16; i++) {
                n += frame(bytes + n, i == 0 ? 0x01 : 0x00, "", 0);
        }
        means(bytes, n + frame(bytes + n, 0x80, "Hello", 5), "text Hello\n");
        fails(bytes, n + frame(bytes + n, 0x00, "", 0), 1008);
}

static void no_memory_is_used_between_messages(void **state)
{
        uint8_t bytes[64];
        struct websocket w;
        struct str in = {(const char *)bytes, frame(bytes, 0x81, "Hello", 5)};

        websocket_init(&w, MAX_MESSAGE);
        assert_int_equal(websocket_read(&w, &in).kind, WEBSOCKET_TEXT);
        assert_int_equal(websocket_read(&w, &in).kind, WEBSOCKET_MORE);
        assert_null(w.message.data);
        websocket_free(&w);
}

static void server_frames_are_unmasked_and_as_short_as_possible(void **state)
{
        static char payload[70000];
        struct buf out;

        buf_init(&out, 1 << 20);
        websocket_write(&out, WEBSOCKET_OP_TEXT, "Hello", 5);
        assert_memory_equal(out.data, "\x81\x05Hello", 7);
        assert_int_equal(out.len, 7);
        buf_reset(&out);
        websocket_write(&out, WEBSOCKET_OP_TEXT, payload, 126);
        assert_memory_equal(out.data, "\x81\x7e\x00\x7e", 4);
        assert_int_equal(out.len, 130);
        buf_reset(&out);
        websocket_write(&out, WEBSOCKET_OP_BINARY, payload, 65536);
        assert_memory_equal(out.data, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10);
        assert_int_equal(out.len, 65546);
        buf_free(&out);
}

static void a_long_reason_is_truncated_between_characters(void **state)
{
        char reason[200];
        struct buf out;

        for (size_t i = 0; i + 2 < sizeof(reason); i += 2) {
                memcpy(reason + i, "\xc3\xb6", 3);
        }
        buf_init(&out, 1 << 10);
        websocket_write_close(&out, 1001, reason);
        assert_memory_equal(out.data, "\x88\x7c\x03\xe9", 4); /* 122 bytes of it: one more would be half a character */
        assert_int_equal(out.len, 126);
        assert_true(utf8_valid(out.data + 4, out.len - 4));
        buf_free(&out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_key_gets_the_response_of_the_rfc),
            cmocka_unit_test(messages_are_read_however_they_are_split),
            cmocka_unit_test(control_frames_may_be_between_fragments_of_a_message),
            cmocka_unit_test(empty_fragments_of_a_message_are_limited),
            cmocka_unit_test(close_frames_have_code_and_reason),
            cmocka_unit_test(protocol_violations_fail_the_connection),
            cmocka_unit_test(no_memory_is_used_between_messages),
            cmocka_unit_test(server_frames_are_unmasked_and_as_short_as_possible),
            cmocka_unit_test(a_long_reason_is_truncated_between_characters),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
