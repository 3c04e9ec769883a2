/* The OpenAPI document of the real services and of the generator's example: every reference resolves, and limits are
 * those of the contract. With a file name as argument it only writes the document there, for third-party validators. */
#include "gateway/openapi.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/follow/follow.rpc.h"
#include "services/note/note.rpc.h"
#include "services/timeline/timeline.rpc.h"
#include "services/user/user.rpc.h"
#include "tools/testdata/example.rpc.h"

enum { MAX_BYTES = 4 << 20 };

#define URL "\"servers\":[{\"url\":\""

static const struct rpc_service *const services[] = {&user_contract, &note_contract, &follow_contract,
                                                     &timeline_contract, &example_contract};
#define N_SERVICES (sizeof(services) / sizeof(services[0]))

static json_t *document;

static void render(struct buf *out)
{
        for (size_t i = 0; i < N_SERVICES; i++) {
                contract_register(services[i]);
        }
        buf_init(out, MAX_BYTES);
        size_t url_at;
        openapi_render(out, services, N_SERVICES, gateway_pages(true), &url_at);
        assert_memory_equal(out->data + url_at - strlen(URL), URL, strlen(URL));
}

static int setup(void **state)
{
        (void)state;
        struct buf out;
        json_error_t error = {.text = "it does not fit"};
        render(&out);
        document = out.overflow ? NULL : json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &error);
        if (document == NULL) {
                print_error("%s at %d: %.*s\n", error.text, error.position, 80,
                            out.data + (error.position > 40 ? error.position - 40 : 0));
        }
        buf_free(&out);
        return document == NULL ? -1 : 0;
}

static int teardown(void **state)
{
        (void)state;
        json_decref(document);
        return 0;
}

/* "/components/schemas/note.Note" (JSON Pointer, RFC 6901; "~1" is '/'). */
static json_t *at(json_t *from, const char *pointer)
{
        while (from != NULL && *pointer == '/') {
                char name[200];
                size_t n = 0;
                for (pointer++; *pointer != '\0' && *pointer != '/' && n + 1 < sizeof(name); pointer++) {
                        name[n++] = pointer[0] == '~' && pointer[1] == '1' ? (pointer++, '/') : *pointer;
                }
                name[n] = '\0';
                from = json_is_array(from) ? json_array_get(from, (size_t)strtoul(name, NULL, 10))
                                           : json_object_get(from, name);
        }
        return from;
}

static void expect(const char *pointer, const char *json)
{
        json_t *expected = json_loads(json, JSON_DECODE_ANY, NULL), *found = at(document, pointer);
        assert_non_null(expected);
        if (!json_equal(expected, found)) {
                char *text = found == NULL ? NULL : json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);
                print_error("%s is %s, not %s\n", pointer, text == NULL ? "not there" : text, json);
                free(text);
                fail();
        }
        json_decref(expected);
}

static void check_references(json_t *value)
{
        const char *key;
        json_t *inner;
        size_t i;
        json_object_foreach(value, key, inner)
        {
                if (strcmp(key, "$ref") == 0) {
                        assert_true(strncmp(json_string_value(inner), "#/", 2) == 0);
                        if (at(document, json_string_value(inner) + 1) == NULL) {
                                print_error("%s leads nowhere\n", json_string_value(inner));
                                fail();
                        }
                }
                check_references(inner);
        }
        if (json_is_array(value)) {
                json_array_foreach(value, i, inner)
                {
                        check_references(inner);
                }
        }
}

static void every_reference_resolves(void **state)
{
        (void)state;
        check_references(document);
}

/* Counts the references to a schema. */
static size_t count_references(json_t *value, const char *reference)
{
        size_t n = 0, i;
        const char *key;
        json_t *inner;
        json_object_foreach(value, key, inner)
        {
                n += strcmp(key, "$ref") == 0 && strcmp(json_string_value(inner), reference) == 0;
                n += count_references(inner, reference);
        }
        if (json_is_array(value)) {
                json_array_foreach(value, i, inner)
                {
                        n += count_references(inner, reference);
                }
        }
        return n;
}

static void every_schema_is_used(void **state)
{
        (void)state;
        const char *name;
        json_t *schema;
        json_object_foreach(at(document, "/components/schemas"), name, schema)
        {
                char reference[250];
                snprintf(reference, sizeof(reference), "#/components/schemas/%s", name);
                if (count_references(document, reference) == 0) {
                        print_error("nothing refers to %s\n", name);
                        fail();
                }
        }
}

static void every_rest_method_is_included_once_and_internal_ones_are_not(void **state)
{
        (void)state;
        size_t expected = 6, found = 0; /* the pages */
        const char *path, *verb;
        json_t *operations, *operation, *ids = json_object();
        for (size_t i = 0; i < N_SERVICES; i++) {
                for (size_t j = 0; j < services[i]->n_methods; j++) {
                        expected += services[i]->methods[j].http_verb != NULL;
                }
        }
        json_object_foreach(at(document, "/paths"), path, operations)
        {
                json_object_foreach(operations, verb, operation)
                {
                        found++;
                        const char *id = json_string_value(json_object_get(operation, "operationId"));
                        assert_non_null(id);
                        assert_null(json_object_get(ids, id));
                        json_object_set_new(ids, id, json_true());
                }
        }
        json_decref(ids);
        assert_int_equal(found, expected);
        assert_true(found > 25);
}

static void declared_headers_are_listed_where_they_are_sent(void **state)
{
        (void)state;
        static const char head[] = "/paths/~1v1~1samples~1{id}~1upload/head";
        char pointer[200];
        snprintf(pointer, sizeof(pointer), "%s/responses/204/headers/Upload-Offset", head);
        expect(pointer, "{\"description\":\"How much of it there is.\",\"schema\":{\"type\":\"string\"}}");
        snprintf(pointer, sizeof(pointer), "%s/responses/204/headers/Tus-Resumable", head);
        expect(pointer, "{\"schema\":{\"const\":\"1.0.0\"}}");
        snprintf(pointer, sizeof(pointer), "%s/parameters/1", head);
        expect(pointer,
               "{\"name\":\"Tus-Resumable\",\"in\":\"header\",\"schema\":{\"type\":\"string\",\"maxLength\":10}}");
        expect("/paths/~1v1~1samples~1{id}~1picture/put/requestBody/content",
               "{\"image/png\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}}");
}

static void limits_of_requests_are_those_of_the_contract(void **state)
{
        (void)state;
        expect("/components/schemas/note.CreateNoteRequest",
               "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":5000},"
               "\"visibility\":{\"type\":\"string\",\"enum\":[\"public\",\"followers\",\"only_me\"],\"description\":"
               "\"The default is public, or followers for a private account.\"},"
               "\"media_ids\":{\"type\":\"array\",\"maxItems\":4,\"items\":{\"type\":\"string\",\"format\":\"uuid\"},"
               "\"description\":\"Your own media, in display order; they may still be processing.\"}},"
               "\"required\":[\"text\"],\"additionalProperties\":false}");
        expect("/components/schemas/example.Sample.input/properties/name",
               "{\"type\":\"string\",\"minLength\":2,\"maxLength\":10,\"pattern\":\"^([a-zé]+)$\"}");
        expect("/components/schemas/example.Sample.input/properties/limit",
               "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0,\"maximum\":100}");
        expect("/components/schemas/example.Sample.input/properties/count/minimum", "1");
        expect("/components/schemas/example.Sample.input/properties/ids",
               "{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"string\",\"format\":\"uuid\"}}");
        expect("/components/schemas/example.Sample.input/properties/parts",
               "{\"type\":\"array\",\"maxItems\":2,\"items\":{\"$ref\":\"#/components/schemas/"
               "example.Sample.InnerPart.input\"}}");
        expect("/components/schemas/example.Sample.input/properties/digest",
               "{\"type\":\"string\",\"contentEncoding\":\"base64\",\"maxLength\":8}");
}

static void responses_declare_required_and_nullable_fields(void **state)
{
        (void)state;
        expect("/components/schemas/note.Note/properties/parent_id",
               "{\"type\":[\"string\",\"null\"],\"format\":\"uuid\",\"description\":\"The note that this one comments "
               "on.\"}");
        expect("/components/schemas/note.Note/properties/edited_at",
               "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}");
        expect("/components/schemas/example.Sample/properties/part",
               "{\"anyOf\":[{\"$ref\":\"#/components/schemas/example.Sample.InnerPart\"},{\"type\":\"null\"}]}");
        expect("/components/schemas/example.Sample/properties/colour",
               "{\"type\":[\"string\",\"null\"],\"enum\":[\"red\",\"sky_blue\",null]}");
        expect("/components/schemas/note.Note/properties/visibility",
               "{\"type\":\"string\",\"enum\":[\"public\",\"followers\",\"only_me\"]}");
        expect("/components/schemas/note.Note/properties/counts",
               "{\"allOf\":[{\"$ref\":\"#/components/schemas/note.NoteCounts\"}]}");
        expect("/components/schemas/note.NoteList/required", "[\"items\"]"); /* next_cursor is left out at the end */
}

static void path_fields_are_parameters_and_not_in_the_body(void **state)
{
        (void)state;
        expect(
            "/paths/~1v1~1notes~1{id}/patch/parameters/0",
            "{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\",\"format\":\"uuid\"}}");
        expect("/paths/~1v1~1notes~1{id}/patch/requestBody/content/application~1json/schema/required", "[\"text\"]");
        assert_null(
            at(document, "/paths/~1v1~1notes~1{id}/patch/requestBody/content/application~1json/schema/properties/id"));
        assert_null(at(document, "/paths/~1v1~1notes~1{id}~1like/put/requestBody"));
        expect("/paths/~1v1~1relationships/get/parameters/0/explode", "false");
}

static void each_operation_declares_its_access_and_errors(void **state)
{
        (void)state;
        expect("/paths/~1v1~1notes/post/security", "[{\"bearer\":[\"write\"]}]");
        expect("/paths/~1v1~1notes~1{id}/get/security", "[{},{\"bearer\":[]}]");
        expect("/paths/~1v1~1auth~1login/post/security", "[]"); /* a token is ignored */
        expect("/paths/~1v1~1auth~1refresh/post/security", "[]");
        expect("/paths/~1v1~1auth~1logout/post/security/0/bearer/0", "\"write\"");
        expect("/paths/~1v1~1notes/post/parameters/0/$ref", "\"#/components/parameters/IdempotencyKey\"");
        expect("/paths/~1v1~1notes/post/responses/422/$ref", "\"#/components/responses/Invalid\"");
        expect("/paths/~1v1~1notes/post/responses/201/content/application~1json/schema/$ref",
               "\"#/components/schemas/note.Note\"");
        assert_null(at(document, "/paths/~1v1~1notes~1{id}/delete/responses/204/content"));
        assert_non_null(at(document, "/paths/~1v1~1notes~1{id}~1like/delete/responses/200/content"));
        assert_non_null(at(document, "/paths/~1v1~1notes~1{id}~1like/delete/responses/204"));
        assert_null(at(document, "/paths/~1v1~1notes~1{id}~1like/delete/responses/204/content"));
        assert_null(at(document, "/paths/~1v1~1notes~1{id}~1like/put/responses/204"));
        assert_non_null(at(document, "/paths/~1v1~1notes~1{id}/get/responses/200/headers/ETag"));
        assert_null(at(document, "/paths/~1v1~1notes/post/responses/201/headers/ETag"));
        assert_null(at(document, "/paths/~1v1~1notes~1{id}/patch/responses/200/headers/ETag"));
        assert_null(at(document, "/paths/~1v1~1notes~1{id}~1like/put/responses/200/headers/ETag"));
        assert_null(at(document, "/paths/~1v1~1users/get/responses/403"));
        assert_non_null(at(document, "/components/responses/TooManyRequests/headers/Retry-After"));
}

static void bodies_and_files_are_binary_with_their_own_parameters_and_responses(void **state)
{
        (void)state;
        expect("/paths/~1v1~1samples~1{id}~1picture/put/requestBody",
               "{\"required\":false,\"content\":{\"image/png\":{\"schema\":{\"type\":\"string\",\"format\":"
               "\"binary\"}}}}");
        expect("/paths/~1v1~1samples~1{id}~1parts/put/requestBody",
               "{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/"
               "example.Sample.InnerPart.input\"}}}}");
        expect("/paths/~1v1~1samples~1{id}~1picture/put/parameters/1",
               "{\"name\":\"Upload-Offset\",\"in\":\"header\",\"description\":\"From where on.\",\"schema\":{\"type\":"
               "\"integer\",\"format\":\"int64\",\"minimum\":0,\"maximum\":1000000}}");
        expect("/paths/~1v1~1samples~1{id}~1picture/put/parameters/2",
               "{\"name\":\"title\",\"in\":\"query\",\"schema\":{\"type\":\"string\",\"maxLength\":20}}");
        assert_null(at(document, "/paths/~1v1~1samples~1{id}~1picture/put/parameters/3"));
        expect("/paths/~1v1~1samples~1{id}~1sound/post/requestBody/content/multipart~1form-data/schema",
               "{\"type\":\"object\",\"properties\":{\"title\":{\"type\":\"string\",\"maxLength\":20},"
               "\"data\":{\"type\":\"string\",\"format\":\"binary\"}},\"required\":[\"data\"]}");
        expect("/paths/~1v1~1samples~1{id}~1picture/get/parameters/1/$ref", "\"#/components/parameters/Range\"");
        expect("/paths/~1v1~1samples~1{id}~1picture/get/responses/206/content",
               "{\"*/*\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}}");
        assert_non_null(at(document, "/paths/~1v1~1samples~1{id}~1picture/get/responses/206/headers/Content-Range"));
        assert_null(at(document, "/paths/~1v1~1samples~1{id}~1picture/get/responses/200/headers/Content-Range"));
        assert_non_null(at(document, "/paths/~1v1~1samples~1{id}~1picture/get/responses/416"));
        assert_null(at(document, "/paths/~1v1~1samples~1{id}/get/responses/416"));
}

static void a_buffer_that_is_too_small_is_reported(void **state)
{
        size_t url_at;
        (void)state;
        for (size_t room = 0; room < 2000; room += 7) {
                struct buf out;
                buf_init(&out, room);
                openapi_render(&out, services, N_SERVICES, gateway_pages(true), &url_at);
                assert_true(out.overflow);
                buf_free(&out);
        }
}

static int write_document(const char *path)
{
        struct buf out;
        FILE *file = fopen(path, "w");
        render(&out);
        bool written = file != NULL && fwrite(out.data, 1, out.len, file) == out.len;
        written = file != NULL && fclose(file) == 0 && written && !out.overflow;
        buf_free(&out);
        return written ? 0 : 1;
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_reference_resolves),
            cmocka_unit_test(every_schema_is_used),
            cmocka_unit_test(every_rest_method_is_included_once_and_internal_ones_are_not),
            cmocka_unit_test(declared_headers_are_listed_where_they_are_sent),
            cmocka_unit_test(limits_of_requests_are_those_of_the_contract),
            cmocka_unit_test(responses_declare_required_and_nullable_fields),
            cmocka_unit_test(path_fields_are_parameters_and_not_in_the_body),
            cmocka_unit_test(each_operation_declares_its_access_and_errors),
            cmocka_unit_test(bodies_and_files_are_binary_with_their_own_parameters_and_responses),
            cmocka_unit_test(a_buffer_that_is_too_small_is_reported),
        };
        return argc == 2 ? write_document(argv[1]) : cmocka_run_group_tests(tests, setup, teardown);
}
