/* Content: which coding a client gets, that it decompresses to the original, and its entity tag. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "gateway/content.h"
#include "gateway/files.h"

static struct arena *arena;
static struct http_request request;
static struct http_header asked[2];
static struct http_response response;
static char text[5000];

static int setup(void **state)
{
        arena = arena_new(1 << 20);
        request = (struct http_request){.arena = arena, .method = "GET", .headers = asked};
        response = (struct http_response){.status = 200};
        for (size_t i = 0; i < sizeof(text); i++) {
                text[i] = "{\"text\":\"hello\"}"[i % 16];
        }
        return 0;
}

static int teardown(void **state)
{
        buf_free(&response.body);
        arena_free(arena);
        return 0;
}

static void ask(const char *accept_encoding, const char *if_none_match)
{
        request.n_headers = 0;
        if (accept_encoding != NULL) {
                asked[request.n_headers++] = (struct http_header){"accept-encoding", accept_encoding};
        }
        if (if_none_match != NULL) {
                asked[request.n_headers++] = (struct http_header){"If-None-Match", if_none_match};
        }
}

static const char *answered(const char *name)
{
        for (size_t i = 0; i < response.n_headers; i++) {
                if (strcmp(response.headers[i].name, name) == 0) {
                        return response.headers[i].value;
                }
        }
        return NULL;
}

static void finish(size_t len, struct content_rules rules)
{
        buf_free(&response.body);
        response = (struct http_response){.status = 200};
        buf_init(&response.body, sizeof(text));
        buf_append(&response.body, text, len);
        content_finish(&request, &response, rules);
}

static void the_clients_preferred_coding_is_chosen(void **state)
{
        static const struct {
                const char *accept;
                enum coding coding;
        } cases[] = {
            {NULL, CODING_IDENTITY},
            {"", CODING_IDENTITY},
            {"gzip", CODING_GZIP},
            {"GZip", CODING_GZIP},
            {"x-gzip", CODING_GZIP},
            {"zstd", CODING_ZSTD},
            {"gzip, deflate, br, zstd", CODING_ZSTD},
            {"gzip, deflate, br", CODING_GZIP},
            {"deflate, br", CODING_IDENTITY},
            {"zstd;q=0.5, gzip;q=0.8", CODING_GZIP},
            {"zstd ; Q=0.5 , gzip; q=0.49", CODING_ZSTD},
            {"gzip;q=1.0, identity; q=0.5, *;q=0", CODING_GZIP},
            {"gzip;q=0.3, identity;q=0.5", CODING_IDENTITY},
            {"gzip;q=0", CODING_IDENTITY},
            {"gzip;q=0.000", CODING_IDENTITY},
            {"gzip;q=0.001", CODING_GZIP},
            {"*", CODING_ZSTD},
            {"*;q=0", CODING_IDENTITY},
            {"zstd;q=0, *", CODING_GZIP},
            {"gzip;q=2", CODING_IDENTITY}, /* invalid weight, so the preference is unknown */
            {"gzip;q=abc", CODING_IDENTITY},
            {"gzip;q=0.1234", CODING_IDENTITY},
            {"gzip;q=", CODING_IDENTITY},
            {"gzipped", CODING_IDENTITY},
            {",, gzip,", CODING_GZIP},
            {";q=1, gzip", CODING_GZIP},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                ask(cases[i].accept, NULL);
                if (coding_choose(&request, CODING_ANY) != cases[i].coding) {
                        fail_msg("%s", cases[i].accept != NULL ? cases[i].accept : "(none)");
                }
        }
}

static void head_has_the_coding_of_the_body_and_compresses_nothing(void **state)
{
        ask("gzip", NULL);
        request.method = "HEAD";
        finish(sizeof(text), (struct content_rules){.tagged = true});
        assert_string_equal("gzip", answered("Content-Encoding"));
        assert_true(response.no_length);
        assert_int_equal(sizeof(text), response.body.len);
        finish(CONTENT_COMPRESSED_FROM - 1, (struct content_rules){.tagged = true});
        assert_false(response.no_length);
}

static void only_available_codings_are_chosen_and_repeated_headers_form_one_list(void **state)
{
        ask("gzip, zstd", NULL);
        assert_int_equal(coding_choose(&request, 1u << CODING_GZIP), CODING_GZIP);
        assert_int_equal(coding_choose(&request, 1u << CODING_IDENTITY), CODING_IDENTITY);
        asked[0] = (struct http_header){"Accept-Encoding", "br"};
        asked[1] = (struct http_header){"Accept-Encoding", "gzip"};
        request.n_headers = 2;
        assert_int_equal(coding_choose(&request, CODING_ANY), CODING_GZIP);
}

static size_t unpack(char *out, size_t size)
{
        z_stream z = {.next_in = (Bytef *)response.body.data,
                      .avail_in = (uInt)response.body.len,
                      .next_out = (Bytef *)out,
                      .avail_out = (uInt)size};

        if (strcmp(answered("Content-Encoding"), "zstd") == 0) {
                return ZSTD_decompress(out, size, response.body.data, response.body.len);
        }
        assert_int_equal(inflateInit2(&z, 31), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.avail_in, 0);
        assert_int_equal(inflateEnd(&z), Z_OK);
        return z.total_out;
}

static void compressed_responses_unpack_to_the_original(void **state)
{
        char unpacked[sizeof(text) + 1];

        for (int round = 0; round < 20; round++) { /* compressors are reused */
                ask(round % 2 == 0 ? "gzip" : "zstd", NULL);
                finish(sizeof(text) - (size_t)round, (struct content_rules){0});
                assert_string_equal(answered("Content-Encoding"), asked[0].value);
                assert_true(response.body.len < sizeof(text) / 4);
                assert_int_equal(unpack(unpacked, sizeof(unpacked)), sizeof(text) - (size_t)round);
                assert_memory_equal(unpacked, text, sizeof(text) - (size_t)round);
        }
}

static void small_responses_are_not_compressed(void **state)
{
        ask("gzip", NULL);
        finish(CONTENT_COMPRESSED_FROM - 1, (struct content_rules){0});
        assert_null(answered("Content-Encoding"));
        assert_int_equal(response.body.len, CONTENT_COMPRESSED_FROM - 1);
        assert_string_equal(answered("Vary"), "Accept-Encoding"); /* it may be larger next time */
        finish(CONTENT_COMPRESSED_FROM, (struct content_rules){0});
        assert_string_equal(answered("Content-Encoding"), "gzip");
}

static void responses_with_secrets_are_never_compressed(void **state)
{
        ask("gzip, zstd", NULL);
        finish(sizeof(text), (struct content_rules){.secret = true});
        assert_null(answered("Content-Encoding"));
        assert_null(answered("Vary"));
        assert_int_equal(response.body.len, sizeof(text));
}

static void each_coding_has_its_own_tag(void **state)
{
        static const char *const codings[] = {"identity", "gzip", "zstd"};
        const struct content_rules tagged = {.tagged = true};

        for (size_t i = 0; i < 3; i++) {
                ask(codings[i], NULL);
                finish(sizeof(text), tagged);
                const char *tag = answered("ETag");

                ask(codings[i], tag);
                finish(sizeof(text), tagged);
                assert_int_equal(response.status, 304);
                assert_int_equal(response.body.len, 0);
                assert_null(answered("Content-Encoding"));
                assert_string_equal(answered("ETag"), tag);
                assert_string_equal(answered("Vary"), "Accept-Encoding");
                ask(codings[(i + 1) % 3], tag);
                finish(sizeof(text), tagged);
                assert_int_equal(response.status, 200);
                assert_string_not_equal(answered("ETag"), tag);
        }
}

static void files_are_sent_in_an_available_coding(void **state)
{
        ask("zstd, gzip;q=0.5", NULL);
        buf_free(&response.body);
        response = (struct http_response){.status = 200};
        file_render(&web_files[0], &request, &response);
        assert_string_equal(answered("Content-Encoding"), "gzip");
        assert_string_equal(answered("ETag"), web_files[0].etag_gzip);
        ask("gzip;q=0", NULL);
        response = (struct http_response){.status = 200};
        file_render(&web_files[0], &request, &response);
        assert_null(answered("Content-Encoding"));
        assert_string_equal(answered("ETag"), web_files[0].etag);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(the_clients_preferred_coding_is_chosen),
            TEST(head_has_the_coding_of_the_body_and_compresses_nothing),
            TEST(only_available_codings_are_chosen_and_repeated_headers_form_one_list),
            TEST(compressed_responses_unpack_to_the_original),
            TEST(small_responses_are_not_compressed),
            TEST(responses_with_secrets_are_never_compressed),
            TEST(each_coding_has_its_own_tag),
            TEST(files_are_sent_in_an_available_coding),
        };

        return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
