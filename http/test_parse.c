/* Heads, chunks and deadlines: the same bytes parse the same, however they are split. */
#include "http/test_support.h"

#include <stdlib.h>
#include <string.h>

#include "http/chunked.h"
#include "http/head.h"
#include "http/wheel.h"

enum { MAX_BYTES = 300 };

/* A copy of exactly this size, so that reading past its end is detected. */
static enum http_parse parse_copy(struct http_head *h, const char *bytes, size_t len)
{
        char *copy = malloc(len > 0 ? len : 1);
        memcpy(copy, bytes, len);
        enum http_parse result = http_head_parse(h, copy, len, MAX_BYTES);
        free(copy);
        return result;
}

static void assert_same_head(const struct http_head *a, const struct http_head *b)
{
        assert_int_equal(a->status, b->status);
        assert_ptr_equal(a->detail, b->detail);
        assert_int_equal(a->len, b->len);
        assert_int_equal(a->line, b->line);
        assert_int_equal(a->n_fields, b->n_fields);
        assert_memory_equal(a->fields, b->fields, a->n_fields * sizeof(a->fields[0]));
        assert_memory_equal(&a->path, &b->path, sizeof(a->path));
        assert_memory_equal(&a->query, &b->query, sizeof(a->query));
        assert_int_equal(a->content_length, b->content_length);
        assert_int_equal(a->keep_alive, b->keep_alive);
}

static void a_head_parses_the_same_however_it_is_split(void **state)
{
        static const char *const heads[] = {
            "GET /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nConnection: close\r\n\r\nbody",
            "\r\nPOST http://h:1/a/b?c HTTP/1.0\r\nX:\r\nY: \t z \t\r\n\r\nGET",
            "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\nX: \x01\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: \x01\r\nTransfer-Encoding: gzip\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
            "GET / HTTP/1.1\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "GET / HTTP/3.0\r\nHost: h\r\n\r\n",
            "GET "
            "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaa"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaa"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaa",
        };
        for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
                struct http_head whole, bytewise;
                size_t len = strlen(heads[i]);
                http_head_init(&whole);
                enum http_parse expected = parse_copy(&whole, heads[i], len);
                assert_int_not_equal(expected, HTTP_PARSE_MORE);
                for (size_t cut = 0; cut <= len; cut++) {
                        struct http_head h;
                        http_head_init(&h);
                        enum http_parse first = parse_copy(&h, heads[i], cut);
                        assert_true(first == expected || first == HTTP_PARSE_MORE);
                        assert_int_equal(first == expected ? first : parse_copy(&h, heads[i], len), expected);
                        assert_same_head(&whole, &h);
                }
                http_head_init(&bytewise);
                for (size_t n = 1; n <= len && parse_copy(&bytewise, heads[i], n) == HTTP_PARSE_MORE; n++) {
                }
                assert_same_head(&whole, &bytewise);
        }
}

static struct str text_of(const char *bytes, struct http_span span)
{
        return (struct str){bytes + span.at, span.len};
}

static void a_head_is_parsed(void **state)
{
        static const char bytes[] =
            "POST https://h:80/a%20b?c=?d HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nX-Note: \t a b \t \r\n"
            "content-length: 0012 \t\r\nExpect: 100-Continue\r\n\r\n";
        struct http_head h;
        http_head_init(&h);
        assert_int_equal(parse_copy(&h, bytes, sizeof(bytes) - 1), HTTP_PARSE_DONE);
        assert_true(str_equal_c(text_of(bytes, h.method), "POST"));
        assert_true(str_equal_c(text_of(bytes, h.path), "/a%20b"));
        assert_true(str_equal_c(text_of(bytes, h.query), "c=?d"));
        assert_int_equal(h.n_fields, 5);
        assert_true(str_equal_c(text_of(bytes, h.fields[1].name), "X-Empty"));
        assert_int_equal(h.fields[1].value.len, 0);
        assert_true(str_equal_c(text_of(bytes, h.fields[2].value), "a b"));
        assert_int_equal(h.content_length, 12);
        assert_true(h.expects_continue && h.keep_alive && !h.chunked && !h.http_10);
        assert_int_equal(h.len, sizeof(bytes) - 1);
}

/* The body into out, in pieces of this many bytes; returns how many were used. */
static size_t decode(const char *bytes, size_t piece, struct buf *out, enum http_parse *result, struct http_chunked *d)
{
        size_t len = strlen(bytes), at = 0;
        http_chunked_init(d);
        *result = HTTP_PARSE_MORE;
        while (at < len && *result == HTTP_PARSE_MORE) {
                struct str in = {bytes + at, len - at < piece ? len - at : piece}, data;
                const char *start = in.ptr;
                *result = http_chunked_next(d, &in, &data);
                buf_append(out, data.ptr, data.len);
                at += (size_t)(in.ptr - start);
        }
        return at;
}

static void chunks_parse_the_same_however_they_are_split(void **state)
{
        static const struct {
                const char *bytes, *body;
                int status;
                size_t behind;
        } cases[] = {
            {"5\r\nhello\r\n00A;a=\"b\";c\r\n, world!!!\r\n0\r\n\r\nGET", "hello, world!!!", 0, 3},
            {"1 \t;x\r\na\r\n000\r\nT: x\r\nU:\r\n\r\n", "a", 0, 0},
            {"5\r\nhel", "hel", 0, 0},
            {"5\r\nhello!\r\n", "hello", 400, 2},
            {"1\r\na\r\n1000000000000000\r\n", "a", 400, 2},
            {"1\r\na\r\n0\r\nT x\r\n\r\n", "a", 400, 5},
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                for (size_t piece = 1; piece < 40; piece++) {
                        struct buf out;
                        struct http_chunked d;
                        enum http_parse result;
                        buf_init(&out, 1000);
                        size_t used = decode(cases[i].bytes, piece, &out, &result, &d);
                        assert_int_equal(d.status, cases[i].status);
                        assert_string_equal(out.data, cases[i].body);
                        assert_int_equal(used + cases[i].behind, strlen(cases[i].bytes));
                        assert_int_equal(result, cases[i].status != 0                         ? HTTP_PARSE_REFUSED
                                                 : strstr(cases[i].bytes, "\r\n\r\n") != NULL ? HTTP_PARSE_DONE
                                                                                              : HTTP_PARSE_MORE);
                        buf_free(&out);
                }
        }
}

/* --- the wheel --- */

enum { TIMERS = 1000, TICK_US = 1000 };

struct alarm {
        struct http_timer timer;
        int64_t fired_us;
};

static struct alarm alarms[TIMERS];

static void note_time(struct http_timer *timer, int64_t now_us)
{
        ((struct alarm *)(void *)timer)->fired_us = now_us;
}

static void each_timer_fires_once_and_within_a_tick_of_its_time(void **state)
{
        struct http_wheel w;
        int64_t start = 123456789, now = start;
        http_wheel_init(&w, TICK_US, start);
        for (int i = 0; i < TIMERS; i++) { /* up to four turns of the wheel ahead */
                alarms[i] = (struct alarm){0};
                http_wheel_set(&w, &alarms[i].timer, start + (int64_t)i * 997);
        }
        for (; now < start + 1100000; now += 333) {
                http_wheel_turn(&w, now, note_time);
                for (int i = 0; i < TIMERS; i++) {
                        int64_t due = start + (int64_t)i * 997;
                        assert_true(alarms[i].fired_us == 0 || alarms[i].fired_us >= due);
                        assert_true(alarms[i].fired_us != 0 || now < due + 2 * TICK_US);
                }
        }
}

static void a_timer_can_be_moved_forward_but_not_back_and_cleared(void **state)
{
        struct http_wheel w;
        http_wheel_init(&w, TICK_US, 0);
        for (int i = 0; i < 3; i++) {
                alarms[i] = (struct alarm){0};
                http_wheel_set(&w, &alarms[i].timer, 50 * TICK_US);
        }
        http_wheel_set(&w, &alarms[0].timer, 20 * TICK_US);
        http_wheel_set(&w, &alarms[1].timer, 90 * TICK_US);
        http_wheel_clear(&alarms[2].timer);
        http_wheel_clear(&alarms[2].timer);
        http_wheel_turn(&w, 20 * TICK_US, note_time);
        assert_int_equal(alarms[0].fired_us, 20 * TICK_US);
        assert_int_equal(alarms[1].fired_us, 0);
        http_wheel_turn(&w, 5000 * TICK_US, note_time); /* the thread slept */
        assert_int_equal(alarms[1].fired_us, 5000 * TICK_US);
        assert_int_equal(alarms[2].fired_us, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_head_parses_the_same_however_it_is_split),
            cmocka_unit_test(a_head_is_parsed),
            cmocka_unit_test(chunks_parse_the_same_however_they_are_split),
            cmocka_unit_test(each_timer_fires_once_and_within_a_tick_of_its_time),
            cmocka_unit_test(a_timer_can_be_moved_forward_but_not_back_and_cleared),
        };
        return cmocka_run_group_tests_name("http parse", tests, NULL, NULL);
}
