/* Response headers: entity tags, CORS and caching. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "gateway/answer_headers.h"
#include "gateway/cors.h"
#include "gateway/etag.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "tools/testdata/example.rpc.h"

static struct arena *arena;
static struct http_request request;
static struct http_header asked;
static struct http_response response;

static int setup(void **state)
{
        arena = arena_new(1 << 20);
        request = (struct http_request){.arena = arena, .method = "GET", .headers = &asked};
        response = (struct http_response){.status = 200};
        buf_init(&response.body, 1000);
        return 0;
}

static int teardown(void **state)
{
        buf_free(&response.body);
        arena_free(arena);
        return 0;
}

static void ask(const char *name, const char *value)
{
        asked = (struct http_header){name, value};
        request.n_headers = value != NULL;
        response.n_headers = 0;
}

static const char *answered(const char *name)
{
        const char *value = NULL;

        for (size_t i = 0; i < response.n_headers; i++) {
                if (strcmp(response.headers[i].name, name) == 0) {
                        assert_null(value); /* once */
                        value = response.headers[i].value;
                }
        }
        return value;
}

static void assert_cors(const char *origins, const char *origin, const char *vary, const char *allowed)
{
        ask("Origin", origin);
        cors_headers(origins, "ETag", &request, &response);
        if (vary == NULL) {
                assert_null(answered("Vary"));
        } else {
                assert_string_equal(answered("Vary"), vary);
        }
        if (allowed == NULL) {
                assert_null(answered("Access-Control-Allow-Origin"));
        } else {
                assert_string_equal(answered("Access-Control-Allow-Origin"), allowed);
        }
}

/* Otherwise a cache would store the anonymous response and serve it to members. */
static void with_a_list_of_origins_every_response_varies_by_origin(void **state)
{
        static const char *const list = "https://a.example, https://b.example";

        assert_cors(list, "https://b.example", "Origin", "https://b.example");
        assert_cors(list, "https://c.example", "Origin", NULL);
        assert_cors(list, NULL, "Origin", NULL);
        assert_cors("*", "https://c.example", NULL, "*");
        assert_cors("*", NULL, NULL, NULL);
        assert_cors("none", "https://c.example", NULL, NULL);
        assert_cors("none", NULL, NULL, NULL);
}

static void tag(const char *body, const char *if_none_match)
{
        ask("If-None-Match", if_none_match);
        response.status = 200;
        buf_reset(&response.body);
        buf_append_c(&response.body, body);
        etag_set(&request, &response, etag_of(arena, &response.body, CODING_IDENTITY));
}

static void unchanged_responses_are_not_sent_again(void **state)
{

        tag("{\"a\":1}", NULL);
        const char *first = answered("ETag");
        tag("{\"a\":1}", arena_printf(arena, "\"x\", W/%s", first));
        assert_int_equal(response.status, 304);
        assert_int_equal(response.body.len, 0);
        assert_string_equal(answered("ETag"), first);
        tag("{\"a\":2}", first);
        const char *again = answered("ETag");
        assert_int_equal(response.status, 200);
        assert_int_equal(response.body.len, 7);
        assert_string_not_equal(again, first);
}

static void response_fields_are_sent_in_their_headers(void **state)
{
        Google__Protobuf__Timestamp when = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        Example__PictureState answer = EXAMPLE__PICTURE_STATE__INIT;
        const struct rpc_message *type = example_methods[EXAMPLE_STAT_PICTURE].out;

        ask("", NULL);
        answer_headers_of_message(arena, type, &answer.base, &response);
        assert_string_equal(answered("Upload-Offset"), "0"); /* a valid offset */
        assert_null(answered("Upload-Expires"));
        assert_null(answered("Location"));
        when.seconds = 784111777;
        answer.expires_at = &when;
        answer.offset = INT64_C(5000000000);
        answer.place = (char *)"/v1/here";
        ask("", NULL);
        answer_headers_of_message(arena, type, &answer.base, &response);
        assert_string_equal(answered("Upload-Offset"), "5000000000");
        assert_string_equal(answered("Upload-Expires"), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_string_equal(answered("Location"), "/v1/here");
}

static void headers_declared_for_a_path_are_on_its_responses(void **state)
{
        const struct rpc_method *m = &example_methods[EXAMPLE_STAT_PICTURE];
        const struct settings settings = {0};

        ask("", NULL);
        answer_headers_declared(arena, &settings, m->headers, &response);
        answer_headers_declared(arena, &settings, m->options_headers, &response);
        answer_headers_declared(arena, &settings, NULL, &response);
        assert_int_equal(response.n_headers, 3);
        assert_string_equal(answered("Tus-Resumable"), "1.0.0");
        assert_string_equal(answered("Tus-Extension"), "creation");
}

static void a_declared_header_can_be_the_value_of_a_setting(void **state)
{
        static const char *const headers[] = {"Tus-Max-Size: $MEDIA_FILE_BYTES", "Price: $ 5", NULL};
        const struct settings settings = {.media_file_bytes = INT64_C(5000000000)};

        ask("", NULL);
        answer_headers_declared(arena, &settings, headers, &response);
        assert_string_equal(answered("Tus-Max-Size"), "5000000000");
        assert_string_equal(answered("Price"), "$ 5");
}

static void cors_exposes_all_declared_headers(void **state)
{
        static const struct rpc_service *const services[] = {&example_contract, &example_contract};
        CLEANUP(buf_free) struct buf names;

        buf_init(&names, 1000);
        buf_append_c(&names, "ETag");
        answer_headers_list(services, 2, &names);
        assert_string_equal(names.data,
                            "ETag, Tus-Resumable, Tus-Version, Tus-Extension, Upload-Offset, Upload-Expires, "
                            "Location");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(with_a_list_of_origins_every_response_varies_by_origin),
            TEST(response_fields_are_sent_in_their_headers),
            TEST(headers_declared_for_a_path_are_on_its_responses),
            TEST(a_declared_header_can_be_the_value_of_a_setting),
            TEST(cors_exposes_all_declared_headers),
            TEST(unchanged_responses_are_not_sent_again),
        };

        return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
