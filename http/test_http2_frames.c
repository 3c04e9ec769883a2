/* Malformed frames, one row each, named by the section of RFC 9113: the cases of h2spec. The server responds to each
 * with the error in that section, and continues to serve others. */
#include <string.h>
#include <unistd.h>
#include "http/test_http2_rows.h"

static struct fixture fixture;

static void big_frame(struct buf *b, int type, int flags)
{
        static char bytes[16385];
        h2_frame(b, type, flags, 1, bytes, sizeof(bytes));
}

static void setting(struct buf *b, int id, uint32_t value)
{
        struct buf payload;
        buf_init(&payload, 6);
        buf_append_char(&payload, (char)(id >> 8));
        buf_append_char(&payload, (char)id);
        h2_number(&payload, value);
        h2_frame(b, NGHTTP2_SETTINGS, 0, 0, payload.data, payload.len);
        buf_free(&payload);
}

/* ---- Rows that take more than a line ---- */

ROW(first_frame_is_no_settings)
{
        b->len = NGHTTP2_CLIENT_MAGIC_LEN;
        FRAME(PING, 0, 0, "12345678");
}
ROW(unknown_type)
{
        h2_frame(b, 0x66, 0, 0, "what", 4);
        h2_get_frame(b, 1, WHOLE);
}
ROW(unknown_flags)
{
        h2_frame(b, NGHTTP2_PING, 0xFE, 0, "12345678", 8);
        h2_get_frame(b, 1, WHOLE);
}
ROW(reserved_bit)
{
        h2_frame(b, NGHTTP2_PING, 0, 0x80000000u, "12345678", 8);
        h2_get_frame(b, 1, WHOLE);
}
ROW(large_data)
{
        h2_get_frame(b, 1, END_HEADERS);
        big_frame(b, NGHTTP2_DATA, END_STREAM);
}
ROW(large_headers)
{
        big_frame(b, NGHTTP2_HEADERS, WHOLE);
}
ROW(bad_block)
{
        FRAME(HEADERS, WHOLE, 1, "\xff\xff\xff\xff\xff\xff\xff\xff");
}
ROW(priority_within_block)
{
        h2_get_frame(b, 1, END_STREAM);
        FRAME(PRIORITY, 0, 1, "\0\0\0\0\1");
}
ROW(headers_within_block)
{
        h2_get_frame(b, 1, END_STREAM);
        h2_get_frame(b, 3, WHOLE);
}
ROW(extension_within_block)
{
        h2_get_frame(b, 1, END_STREAM);
        h2_frame(b, 0x66, 0, 0, "", 0);
}
ROW(data_on_idle)
{
        FRAME(DATA, END_STREAM, 1, "text");
}
ROW(reset_on_idle)
{
        FRAME(RST_STREAM, 0, 1, "\0\0\0\x08");
}
ROW(window_on_idle)
{
        FRAME(WINDOW_UPDATE, 0, 1, "\0\0\0\x08");
}
ROW(continuation_on_idle)
{
        FRAME(CONTINUATION, END_HEADERS, 1, "\x82");
}
ROW(data_after_end)
{
        h2_get_frame(b, 1, WHOLE);
        FRAME(DATA, END_STREAM, 1, "text");
}
ROW(headers_after_end)
{
        h2_get_frame(b, 1, WHOLE);
        h2_get_frame(b, 1, WHOLE);
}
ROW(data_after_reset)
{
        h2_get_frame(b, 1, END_HEADERS);
        FRAME(RST_STREAM, 0, 1, "\0\0\0\x08");
        FRAME(DATA, END_STREAM, 1, "text");
        h2_get_frame(b, 3, WHOLE);
}
ROW(even_stream)
{
        h2_get_frame(b, 2, WHOLE);
}
ROW(stream_id_that_falls)
{
        h2_get_frame(b, 5, END_HEADERS);
        FRAME(RST_STREAM, 0, 5, "\0\0\0\x08");
        h2_get_frame(b, 3, WHOLE);
        h2_get_frame(b, 7, WHOLE);
}
ROW(data_on_0)
{
        FRAME(DATA, END_STREAM, 0, "text");
}
ROW(data_padding)
{
        h2_get_frame(b, 1, END_HEADERS);
        FRAME(DATA, END_STREAM | NGHTTP2_FLAG_PADDED, 1,
              "\x06"
              "text");
}
ROW(headers_on_0)
{
        h2_get_frame(b, 0, WHOLE);
}
ROW(headers_padding)
{
        FRAME(HEADERS, WHOLE | NGHTTP2_FLAG_PADDED, 1, "\x20\x82\x86\x84\x41");
}
ROW(priority_on_0)
{
        FRAME(PRIORITY, 0, 0, "\0\0\0\0\1");
        h2_get_frame(b, 1, WHOLE);
}
ROW(priority_length)
{
        h2_get_frame(b, 1, END_HEADERS);
        FRAME(PRIORITY, 0, 1, "\0\0\0\1");
}
ROW(reset_on_0)
{
        FRAME(RST_STREAM, 0, 0, "\0\0\0\x08");
}
ROW(reset_length)
{
        h2_get_frame(b, 1, END_HEADERS);
        FRAME(RST_STREAM, 0, 1, "\0\0\x08");
}
ROW(settings_ack_with_payload)
{
        FRAME(SETTINGS, NGHTTP2_FLAG_ACK, 0, "\0");
}
ROW(settings_on_1)
{
        FRAME(SETTINGS, 0, 1, "\0\3\0\0\0\x64");
}
ROW(settings_length)
{
        FRAME(SETTINGS, 0, 0, "\0\3\0");
}
ROW(settings_push)
{
        setting(b, NGHTTP2_SETTINGS_ENABLE_PUSH, 2);
}
ROW(settings_window)
{
        setting(b, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x80000000u);
}
ROW(settings_frame_small)
{
        setting(b, NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 16383);
}
ROW(settings_frame_large)
{
        setting(b, NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 1 << 24);
}
ROW(settings_unknown)
{
        setting(b, 0xFF, 1);
        h2_get_frame(b, 1, WHOLE);
}
ROW(ping_on_1)
{
        FRAME(PING, 0, 1, "12345678");
}
ROW(ping_length)
{
        FRAME(PING, 0, 0, "123456");
}
ROW(goaway_on_1)
{
        FRAME(GOAWAY, 0, 1, "\0\0\0\0\0\0\0\0");
}
ROW(window_0)
{
        FRAME(WINDOW_UPDATE, 0, 0, "\0\0\0\0");
}
ROW(window_0_on_stream)
{
        h2_get_frame(b, 1, END_HEADERS);
        FRAME(WINDOW_UPDATE, 0, 1, "\0\0\0\0");
}
ROW(window_length)
{
        FRAME(WINDOW_UPDATE, 0, 0, "\0\0\1");
}
ROW(window_overflow)
{
        FRAME(WINDOW_UPDATE, 0, 0, "\x7f\xff\xff\xff");
}
ROW(window_overflow_on_stream)
{
        h2_get_frame(b, 1, END_HEADERS);
        FRAME(WINDOW_UPDATE, 0, 1, "\x7f\xff\xff\xff");
}
ROW(window_overflow_by_settings)
{
        h2_get_frame(b, 1, END_HEADERS);
        FRAME(WINDOW_UPDATE, 0, 1, "\0\0\xff\xff");
        setting(b, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x7fffffff);
}
ROW(continuations)
{
        struct buf block;
        h2_get(&block, "/echo");
        h2_frame(b, NGHTTP2_HEADERS, END_STREAM, 1, block.data, 10);
        h2_frame(b, NGHTTP2_CONTINUATION, 0, 1, block.data + 10, 10);
        h2_frame(b, NGHTTP2_CONTINUATION, END_HEADERS, 1, block.data + 20, block.len - 20);
        buf_free(&block);
}
ROW(continuation_after_end_headers)
{
        h2_get_frame(b, 1, END_HEADERS);
        FRAME(CONTINUATION, END_HEADERS, 1, "\x82");
}
ROW(continuation_on_0)
{
        h2_get_frame(b, 1, END_STREAM);
        FRAME(CONTINUATION, END_HEADERS, 0, "\x82");
}
ROW(continuation_after_data)
{
        h2_get_frame(b, 1, END_STREAM);
        FRAME(DATA, END_STREAM, 1, "text");
}

static const struct h2_row rows[] = {
    {"3.4 the first frame must be SETTINGS", first_frame_is_no_settings, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"4.1 unknown types are passed over", unknown_type, ANSWER, 200},
    {"4.1 unknown flags are passed over", unknown_flags, ANSWER, 200},
    {"4.1 the reserved bit is passed over", reserved_bit, ANSWER, 200},
    {"4.2 DATA over the largest frame", large_data, GOAWAY, NGHTTP2_FRAME_SIZE_ERROR},
    {"4.2 HEADERS over the largest frame", large_headers, GOAWAY, NGHTTP2_FRAME_SIZE_ERROR},
    {"4.3 a header block that cannot be read", bad_block, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"4.3 PRIORITY within a header block", priority_within_block, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"4.3 HEADERS within a header block", headers_within_block, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"5.1 idle: DATA", data_on_idle, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"5.1 idle: RST_STREAM", reset_on_idle, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"5.1 idle: WINDOW_UPDATE", window_on_idle, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"5.1 idle: CONTINUATION", continuation_on_idle, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"5.1 half-closed: DATA", data_after_end, GOAWAY, NGHTTP2_STREAM_CLOSED},
    {"5.1 half-closed: HEADERS", headers_after_end, GOAWAY, NGHTTP2_STREAM_CLOSED},
    {"5.1 closed: DATA after a reset is passed over", data_after_reset, ANSWER_OF_3, 200},
    {"5.1.1 even stream", even_stream, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    /* they may be trailers of a stream that was reset meanwhile: nghttp2 does not close the connection */
    {"5.1.1 stream ids that fall are passed over", stream_id_that_falls, ANSWER_OF_7, 200},
    {"5.5 an extension within a header block", extension_within_block, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.1 DATA on stream 0", data_on_0, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.1 DATA with too much padding", data_padding, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.2 HEADERS on stream 0", headers_on_0, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.2 HEADERS with too much padding", headers_padding, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    /* our SETTINGS disable these priorities (RFC 9218, 2.1) */
    {"6.3 PRIORITY is passed over, even on stream 0", priority_on_0, ANSWER, 200},
    {"6.3 PRIORITY of another length", priority_length, GOAWAY, NGHTTP2_FRAME_SIZE_ERROR},
    {"6.4 RST_STREAM on stream 0", reset_on_0, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.4 RST_STREAM of another length", reset_length, GOAWAY, NGHTTP2_FRAME_SIZE_ERROR},
    {"6.5 an acknowledgement with a payload", settings_ack_with_payload, GOAWAY, NGHTTP2_FRAME_SIZE_ERROR},
    {"6.5 SETTINGS on a stream", settings_on_1, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.5 SETTINGS of another length", settings_length, GOAWAY, NGHTTP2_FRAME_SIZE_ERROR},
    {"6.5.2 ENABLE_PUSH is 0 or 1", settings_push, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.5.2 INITIAL_WINDOW_SIZE has 31 bits", settings_window, GOAWAY, NGHTTP2_FLOW_CONTROL_ERROR},
    {"6.5.2 MAX_FRAME_SIZE below 16384", settings_frame_small, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.5.2 MAX_FRAME_SIZE over 24 bits", settings_frame_large, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.5.2 unknown settings are passed over", settings_unknown, ANSWER, 200},
    {"6.7 PING on a stream", ping_on_1, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.7 PING of another length", ping_length, GOAWAY, NGHTTP2_FRAME_SIZE_ERROR},
    {"6.8 GOAWAY on a stream", goaway_on_1, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.9 WINDOW_UPDATE by 0", window_0, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.9 WINDOW_UPDATE by 0 on a stream", window_0_on_stream, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.9 WINDOW_UPDATE of another length", window_length, GOAWAY, NGHTTP2_FRAME_SIZE_ERROR},
    {"6.9.1 a window over 31 bits", window_overflow, GOAWAY, NGHTTP2_FLOW_CONTROL_ERROR},
    {"6.9.1 a stream's window over 31 bits", window_overflow_on_stream, RESET_OF_1, NGHTTP2_FLOW_CONTROL_ERROR},
    /* the section requires a connection error; nghttp2 resets the stream */
    {"6.9.2 the same by SETTINGS", window_overflow_by_settings, RESET_OF_1, NGHTTP2_FLOW_CONTROL_ERROR},
    {"6.10 a header block in three frames", continuations, ANSWER, 200},
    {"6.10 CONTINUATION after END_HEADERS", continuation_after_end_headers, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.10 CONTINUATION on stream 0", continuation_on_0, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.10 DATA instead of CONTINUATION", continuation_after_data, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
};

static void every_malformed_frame_has_its_error(void **state)
{
        h2_check_rows(&fixture, rows, sizeof(rows) / sizeof(rows[0]));
}

static void pings_and_settings_are_acknowledged(void **state)
{
        struct h2_frame got;
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        h2_frame(&b, NGHTTP2_PING, 0, 0, "sonetpng", 8);
        h2_send(fd, &b);
        do {
                h2_read_until(fd, NGHTTP2_SETTINGS, &got);
        } while ((got.flags & NGHTTP2_FLAG_ACK) == 0);
        h2_read_until(fd, NGHTTP2_PING, &got);
        assert_int_equal(got.flags, NGHTTP2_FLAG_ACK);
        assert_memory_equal(got.payload, "sonetpng", 8);
        close(fd);
}

/* However the bytes are split, including the preface. */
static void bytes_may_arrive_one_by_one(void **state)
{
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        h2_get_frame(&b, 1, WHOLE);
        for (size_t i = 0; i < b.len; i++) {
                client_send(fd, b.data + i, 1);
                client_wait_taken(fd);
        }
        buf_free(&b);
        assert_int_equal(h2_read_status(fd, 1), 200);
        close(fd);
}

static int setup(void **state)
{
        fixture_start(&fixture, NULL);
        return 0;
}

static int teardown(void **state)
{
        fixture_stop(&fixture);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_malformed_frame_has_its_error),
            cmocka_unit_test(pings_and_settings_are_acknowledged),
            cmocka_unit_test(bytes_may_arrive_one_by_one),
        };

        return cmocka_run_group_tests_name("http2 frames", tests, setup, teardown);
}
