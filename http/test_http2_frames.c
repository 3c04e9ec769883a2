/* Frames and header blocks that are wrong, one row each, named by the section of RFC 9113 (or of RFC 7541, HPACK) that
 * says so: the cases that h2spec has. The server answers each with the error that the section names, and goes on
 * serving everybody else. */
#include <string.h>
#include <unistd.h>

#include "http/test_http2_support.h"

enum { END_STREAM = NGHTTP2_FLAG_END_STREAM, END_HEADERS = NGHTTP2_FLAG_END_HEADERS, WHOLE = END_STREAM | END_HEADERS };

/* The stream that is answered, or: */
enum expected { GOAWAY = 0, ANSWER = 1, ANSWER_OF_3 = 3, ANSWER_OF_7 = 7, RESET_OF_1 };

/* What follows preface and SETTINGS. */
struct row {
        const char *name;
        void (*make)(struct buf *b);
        enum expected expected;
        int code; /* of the error, or the status */
};

/* ---- Pieces ---- */

static void frame(struct buf *b, int type, int flags, uint32_t stream, const char *payload, size_t len)
{
        h2_frame(b, type, flags, stream, payload, len);
}
#define FRAME(type, flags, stream, payload) frame(b, NGHTTP2_##type, (flags), (stream), (payload), sizeof(payload) - 1)

static void get(struct buf *b, uint32_t stream, int flags)
{
        struct buf block;
        h2_get(&block, "/echo");
        h2_headers(b, flags, stream, &block);
        buf_free(&block);
}

/* A request that is whole but for what is wrong with it: pseudo-headers given as pairs, then others. */
static void request_of(struct buf *b, const char *const *pairs)
{
        struct buf block;
        buf_init(&block, 1 << 20);
        for (size_t i = 0; pairs[i] != NULL; i += 2) {
                h2_field(&block, pairs[i], pairs[i + 1]);
        }
        h2_headers(b, WHOLE, 1, &block);
        buf_free(&block);
}
#define REQUEST(...) request_of(b, (const char *const[]){__VA_ARGS__, NULL})
#define GOOD         ":method", "GET", ":scheme", "http", ":authority", "localhost", ":path", "/echo"

static void block_of(struct buf *b, const char *bytes, size_t len)
{
        struct buf block;
        h2_get(&block, "/echo");
        buf_append(&block, bytes, len);
        h2_headers(b, WHOLE, 1, &block);
        buf_free(&block);
}
#define BLOCK(bytes) block_of(b, (bytes), sizeof(bytes) - 1)

static void post_of(struct buf *b, const char *length, const char *body)
{
        struct buf block;
        buf_init(&block, 10000);
        h2_field(&block, ":method", "POST");
        h2_field(&block, ":scheme", "http");
        h2_field(&block, ":authority", "localhost");
        h2_field(&block, ":path", "/echo");
        h2_field(&block, "content-length", length);
        h2_headers(b, END_HEADERS, 1, &block);
        h2_frame(b, NGHTTP2_DATA, END_STREAM, 1, body, strlen(body));
        buf_free(&block);
}

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

#define ROW(name_) static void name_(struct buf *b)

ROW(first_frame_is_no_settings)
{
        b->len = NGHTTP2_CLIENT_MAGIC_LEN;
        FRAME(PING, 0, 0, "12345678");
}
ROW(unknown_type)
{
        frame(b, 0x66, 0, 0, "what", 4);
        get(b, 1, WHOLE);
}
ROW(unknown_flags)
{
        frame(b, NGHTTP2_PING, 0xFE, 0, "12345678", 8);
        get(b, 1, WHOLE);
}
ROW(reserved_bit)
{
        frame(b, NGHTTP2_PING, 0, 0x80000000u, "12345678", 8);
        get(b, 1, WHOLE);
}
ROW(large_data)
{
        get(b, 1, END_HEADERS);
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
        get(b, 1, END_STREAM);
        FRAME(PRIORITY, 0, 1, "\0\0\0\0\1");
}
ROW(headers_within_block)
{
        get(b, 1, END_STREAM);
        get(b, 3, WHOLE);
}
ROW(extension_within_block)
{
        get(b, 1, END_STREAM);
        frame(b, 0x66, 0, 0, "", 0);
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
        get(b, 1, WHOLE);
        FRAME(DATA, END_STREAM, 1, "text");
}
ROW(headers_after_end)
{
        get(b, 1, WHOLE);
        get(b, 1, WHOLE);
}
ROW(data_after_reset)
{
        get(b, 1, END_HEADERS);
        FRAME(RST_STREAM, 0, 1, "\0\0\0\x08");
        FRAME(DATA, END_STREAM, 1, "text");
        get(b, 3, WHOLE);
}
ROW(even_stream)
{
        get(b, 2, WHOLE);
}
ROW(stream_id_that_falls)
{
        get(b, 5, END_HEADERS);
        FRAME(RST_STREAM, 0, 5, "\0\0\0\x08");
        get(b, 3, WHOLE);
        get(b, 7, WHOLE);
}
ROW(data_on_0)
{
        FRAME(DATA, END_STREAM, 0, "text");
}
ROW(data_padding)
{
        get(b, 1, END_HEADERS);
        FRAME(DATA, END_STREAM | NGHTTP2_FLAG_PADDED, 1,
              "\x06"
              "text");
}
ROW(headers_on_0)
{
        get(b, 0, WHOLE);
}
ROW(headers_padding)
{
        FRAME(HEADERS, WHOLE | NGHTTP2_FLAG_PADDED, 1, "\x20\x82\x86\x84\x41");
}
ROW(priority_on_0)
{
        FRAME(PRIORITY, 0, 0, "\0\0\0\0\1");
        get(b, 1, WHOLE);
}
ROW(priority_length)
{
        get(b, 1, END_HEADERS);
        FRAME(PRIORITY, 0, 1, "\0\0\0\1");
}
ROW(reset_on_0)
{
        FRAME(RST_STREAM, 0, 0, "\0\0\0\x08");
}
ROW(reset_length)
{
        get(b, 1, END_HEADERS);
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
        get(b, 1, WHOLE);
}
ROW(push_promise)
{
        FRAME(PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2\x82");
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
        get(b, 1, END_HEADERS);
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
        get(b, 1, END_HEADERS);
        FRAME(WINDOW_UPDATE, 0, 1, "\x7f\xff\xff\xff");
}
ROW(window_overflow_by_settings)
{
        get(b, 1, END_HEADERS);
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
        get(b, 1, END_HEADERS);
        FRAME(CONTINUATION, END_HEADERS, 1, "\x82");
}
ROW(continuation_on_0)
{
        get(b, 1, END_STREAM);
        FRAME(CONTINUATION, END_HEADERS, 0, "\x82");
}
ROW(continuation_after_data)
{
        get(b, 1, END_STREAM);
        FRAME(DATA, END_STREAM, 1, "text");
}
ROW(second_headers_without_end)
{
        get(b, 1, END_HEADERS);
        get(b, 1, END_HEADERS);
}
ROW(trailers_with_pseudo)
{
        get(b, 1, END_HEADERS);
        get(b, 1, WHOLE);
}
ROW(trailers)
{
        struct buf block;
        post_of(b, "4", "text");
        buf_init(&block, 1000);
        b->data[b->len - 4 - 5] = 0; /* DATA does not end the stream */
        h2_field(&block, "x-trailer", "yes");
        h2_headers(b, WHOLE, 1, &block);
        buf_free(&block);
}
ROW(length_too_small)
{
        post_of(b, "1", "text");
}
ROW(length_too_large)
{
        post_of(b, "5", "text");
}
ROW(length_no_number)
{
        post_of(b, "four", "text");
}
ROW(length_right)
{
        post_of(b, "4", "text");
}
ROW(uppercase_name)
{
        REQUEST(GOOD, "X-Test", "1");
}
ROW(header_with_newline)
{
        REQUEST(GOOD, "x-test", "a\r\nb: c");
}
ROW(header_with_space_around)
{
        REQUEST(GOOD, "x-test", " a");
}
ROW(connection_header)
{
        REQUEST(GOOD, "connection", "keep-alive");
}
ROW(transfer_encoding)
{
        REQUEST(GOOD, "transfer-encoding", "chunked");
}
ROW(te)
{
        REQUEST(GOOD, "te", "trailers, deflate");
}
ROW(te_trailers)
{
        REQUEST(GOOD, "te", "trailers");
}
ROW(unknown_pseudo)
{
        REQUEST(GOOD, ":test", "ok");
}
ROW(response_pseudo)
{
        REQUEST(GOOD, ":status", "200");
}
ROW(pseudo_after_header)
{
        REQUEST(":method", "GET", ":scheme", "http", ":authority", "h", "x-test", "1", ":path", "/echo");
}
ROW(no_method)
{
        REQUEST(":scheme", "http", ":authority", "h", ":path", "/echo");
}
ROW(no_scheme)
{
        REQUEST(":method", "GET", ":authority", "h", ":path", "/echo");
}
ROW(no_path)
{
        REQUEST(":method", "GET", ":scheme", "http", ":authority", "h");
}
ROW(empty_path)
{
        REQUEST(":method", "GET", ":scheme", "http", ":authority", "h", ":path", "");
}
ROW(double_method)
{
        REQUEST(GOOD, ":method", "GET");
}
ROW(double_path)
{
        REQUEST(GOOD, ":path", "/echo");
}
ROW(other_host)
{
        REQUEST(":method", "GET", ":scheme", "http", ":path", "/echo", "host", "a", "host", "b");
}
ROW(index_0)
{
        BLOCK("\x80");
}
ROW(index_beyond)
{
        BLOCK("\xc6");
}
ROW(table_size_after_field)
{
        BLOCK("\x20");
}
ROW(table_size_beyond)
{
        FRAME(HEADERS, WHOLE, 1, "\x3f\xe1\x7f\x82\x86\x84\x41\x01h");
}
ROW(huffman_padding_too_long)
{
        BLOCK("\x00\x81\xff\x01h");
}
ROW(huffman_end_of_string)
{
        BLOCK("\x00\x85\x25\xa8\x49\xff\xff\x01h");
}

static const struct row rows[] = {
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
    /* they may be trailers of a stream that was reset meanwhile: nghttp2 does not end the connection for it */
    {"5.1.1 stream ids that fall are passed over", stream_id_that_falls, ANSWER_OF_7, 200},
    {"5.5 an extension within a header block", extension_within_block, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.1 DATA on stream 0", data_on_0, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.1 DATA with too much padding", data_padding, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.2 HEADERS on stream 0", headers_on_0, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.2 HEADERS with too much padding", headers_padding, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    /* our SETTINGS say that there are no such priorities (RFC 9218, 2.1) */
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
    /* the section wants a connection error; nghttp2 resets the stream */
    {"6.9.2 the same by SETTINGS", window_overflow_by_settings, RESET_OF_1, NGHTTP2_FLOW_CONTROL_ERROR},
    {"6.10 a header block in three frames", continuations, ANSWER, 200},
    {"6.10 CONTINUATION after END_HEADERS", continuation_after_end_headers, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.10 CONTINUATION on stream 0", continuation_on_0, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"6.10 DATA instead of CONTINUATION", continuation_after_data, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"8.1 HEADERS that do not end the stream", second_headers_without_end, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1 trailers with pseudo-headers", trailers_with_pseudo, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1 trailers are passed over", trailers, ANSWER, 200},
    {"8.1.1 more body than Content-Length", length_too_small, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1.1 less body than Content-Length", length_too_large, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1.1 Content-Length that is no number", length_no_number, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.1.1 Content-Length that is right", length_right, ANSWER, 200},
    {"8.2 a name in uppercase", uppercase_name, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.1 a value with a line break", header_with_newline, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.1 a value that begins with a space", header_with_space_around, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.2 Connection", connection_header, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.2 Transfer-Encoding", transfer_encoding, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.2 TE with more than trailers", te, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.2.2 TE: trailers", te_trailers, ANSWER, 200},
    {"8.3 an unknown pseudo-header", unknown_pseudo, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3 a pseudo-header of answers", response_pseudo, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3 a pseudo-header after others", pseudo_after_header, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 no :method", no_method, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 no :scheme", no_scheme, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 no :path", no_path, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 an empty :path", empty_path, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 :method twice", double_method, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 :path twice", double_path, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.3.1 Host twice", other_host, RESET_OF_1, NGHTTP2_PROTOCOL_ERROR},
    {"8.4 PUSH_PROMISE by a client", push_promise, GOAWAY, NGHTTP2_PROTOCOL_ERROR},
    {"HPACK 6.1 index 0", index_0, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 2.3.3 an index beyond the tables", index_beyond, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 4.2 a table size after a field", table_size_after_field, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 6.3 a table larger than agreed", table_size_beyond, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 5.2 padding of more than 7 bits", huffman_padding_too_long, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
    {"HPACK 5.2 the end of the string within it", huffman_end_of_string, GOAWAY, NGHTTP2_COMPRESSION_ERROR},
};

static struct fixture fixture;
static int failures;

static void check_row(const struct row *row)
{
        struct buf b;
        int fd = h2_open(&fixture), found;
        h2_case = row->name;
        h2_begin(&b);
        row->make(&b);
        h2_send(fd, &b);
        if (row->expected == GOAWAY) {
                found = h2_read_goaway(fd);
        } else {
                found = h2_read_status(fd, row->expected == RESET_OF_1 ? 1 : row->expected);
                close(fd);
        }
        int wanted = row->expected == RESET_OF_1 ? -1 - row->code : row->code;
        if (found != wanted) {
                print_error("%s: %d instead of %d\n", row->name, found, wanted);
                failures++;
        }
}

static void every_wrong_frame_has_its_error(void **state)
{
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                check_row(&rows[i]);
        }
        assert_int_equal(failures, 0);
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

/* However the bytes are cut: the preface, too. */
static void bytes_may_come_one_by_one(void **state)
{
        struct buf b;
        int fd = h2_open(&fixture);
        h2_begin(&b);
        get(&b, 1, WHOLE);
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
            cmocka_unit_test(every_wrong_frame_has_its_error),
            cmocka_unit_test(pings_and_settings_are_acknowledged),
            cmocka_unit_test(bytes_may_come_one_by_one),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
