/* Matching HTTP methods and paths to methods of the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "gateway/pages.h"
#include "web/web.h"
#include "gateway/router.h"

static const struct rpc_method methods[] = {
    {.name = "GetMe", .http_verb = "GET", .http_path = "/v1/users/me"},
    {.name = "UpdateMe", .http_verb = "PATCH", .http_path = "/v1/users/me"},
    {.name = "GetUser", .http_verb = "GET", .http_path = "/v1/users/{id}"},
    {.name = "FindUsers", .http_verb = "GET", .http_path = "/v1/users"},
    {.name = "Follow", .http_verb = "PUT", .http_path = "/v1/users/{user_id}/follow"},
    {.name = "Unfollow", .http_verb = "DELETE", .http_path = "/v1/users/{user_id}/follow"},
    {.name = "Internal"},
};
static const struct rpc_method other_methods[] = {
    {.name = "Deep", .http_verb = "GET", .http_path = "/v1/a/{one}/{two}/c/{three}"},
    {.name = "Read", .http_verb = "GET", .http_path = "/v1/up/{id}"},
    {.name = "Stat", .http_verb = "HEAD", .http_path = "/v1/up/{id}", .headers = (const char *const[]){"A: b", NULL}},
    {.name = "Only", .http_verb = "HEAD", .http_path = "/v1/only"},
    {.name = "Five", .http_verb = "GET", .http_path = "/v1/f/{a}/{b}/{c}/{d}/{e}"},
};
static const struct rpc_service service = {
    .name = "user", .methods = methods, .n_methods = sizeof(methods) / sizeof(methods[0])};
static const struct rpc_service other = {
    .name = "other", .methods = other_methods, .n_methods = sizeof(other_methods) / sizeof(other_methods[0])};
static const struct web_file files[] = {{.path = "/"}, {0}};
static const struct gateway_page pages[] = {{.path = "/healthz"}, {.path = "/.well-known/jwks.json"}, {0}};

static struct router *router;
static struct arena *arena;

static int setup(void **state)
{
        const struct rpc_service *const services[] = {&service, &other};

        router = router_new(services, 2, pages, files, NULL);
        arena = arena_new(1 << 20);
        return router == NULL;
}

static int teardown(void **state)
{
        router_free(router);
        arena_free(arena);
        return 0;
}

/* The method's name, the page's path, "-" for no such path, the allowed HTTP methods for another one, "!" for a
 * malformed path. */
static const char *match(const char *verb, const char *path, struct route_match *m)
{
        if (!router_match(router, arena, verb, path, m)) {
                return "!";
        }
        if (m->route == NULL) {
                return m->allow != NULL ? m->allow : "-";
        }
        assert_null(m->allow);
        return m->route->method != NULL ? m->route->method->name : m->route->path;
}

static const char *found(const char *verb, const char *path)
{
        struct route_match m;

        return match(verb, path, &m);
}

static void assert_variable(const struct route_match *m, size_t i, const char *name, const char *value)
{
        assert_true(i < m->n_variables);
        assert_int_equal(strncmp(m->variables[i].name, name, strlen(name)), 0);
        assert_int_equal(m->variables[i].name[strlen(name)], '}'); /* the name ends there */
        assert_true(str_equal_c(m->variables[i].value, value));
}

static void a_path_finds_its_method_or_page(void **state)
{
        assert_string_equal(found("GET", "/v1/users"), "FindUsers");
        assert_string_equal(found("PUT", "/v1/users/7/follow"), "Follow");
        assert_string_equal(found("DELETE", "/v1/users/7/follow"), "Unfollow");
        assert_string_equal(found("GET", "/"), "/");
        assert_string_equal(found("GET", "/healthz"), "/healthz");
        assert_string_equal(found("GET", "/.well-known/jwks.json"), "/.well-known/jwks.json");
}

static void a_literal_segment_wins_over_a_variable(void **state)
{
        struct route_match m;

        assert_string_equal(match("GET", "/v1/users/me", &m), "GetMe");
        assert_int_equal(m.n_variables, 0);
        assert_string_equal(match("GET", "/v1/users/mee", &m), "GetUser");
        assert_variable(&m, 0, "id", "mee");
        assert_string_equal(found("PATCH", "/v1/users/me"), "UpdateMe");
        assert_string_equal(found("PATCH", "/v1/users/other"), "GET, HEAD, OPTIONS");
        assert_string_equal(found("GET", "/v1/users/%6De"), "GetMe"); /* RFC 3986, 6.2.2.2: the same path */
}

static void each_route_names_its_own_variables(void **state)
{
        struct route_match m;

        assert_string_equal(match("PUT", "/v1/users/abc/follow", &m), "Follow");
        assert_int_equal(m.n_variables, 1);
        assert_variable(&m, 0, "user_id", "abc");
        assert_string_equal(match("GET", "/v1/a/x/y/c/z", &m), "Deep");
        assert_int_equal(m.n_variables, 3);
        assert_variable(&m, 0, "one", "x");
        assert_variable(&m, 1, "two", "y");
        assert_variable(&m, 2, "three", "z");
}

static void values_are_percent_decoded_once(void **state)
{
        struct route_match m;

        assert_string_equal(match("GET", "/v1/users/a%20b%2b+%25%c3%A9", &m), "GetUser");
        assert_variable(&m, 0, "id", "a b++%\xc3\xa9");
        assert_string_equal(match("GET", "/v1/users/%2541", &m), "GetUser");
        assert_variable(&m, 0, "id", "%41");
        assert_string_equal(match("GET", "/v1/users/..", &m), "GetUser"); /* no special meaning here */
        assert_variable(&m, 0, "id", "..");
}

static void an_escaped_slash_is_part_of_its_segment(void **state)
{
        struct route_match m;

        assert_string_equal(match("GET", "/v1/users/a%2Fb%2f", &m), "GetUser");
        assert_variable(&m, 0, "id", "a/b/");
        assert_string_equal(match("GET", "/v1/users/%2F", &m), "GetUser");
        assert_string_equal(found("GET", "/v1%2Fusers/me"), "-");
        assert_string_equal(found("GET", "/v1/users%2Fme"), "-");
}

static void an_invalid_escape_is_malformed(void **state)
{
        static const char *const paths[] = {
            "/v1/users/%",
            "/v1/users/%4",
            "/v1/users/%zz",
            "/v1/users/%4g",
            "/v1/users/%-1",
            "/v1/users/%%41",
            "/v1/users/a%",
            "/v1/users/%00",
            "/v1/users/a%00b",
            "/v1/users/%4/follow",
            "",
            "v1/users",
            "*",
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                if (strcmp(found("GET", paths[i]), "!") != 0) {
                        fail_msg("«%s» gave %s", paths[i], found("GET", paths[i]));
                }
        }
}

static void head_is_matched_like_get(void **state)
{
        assert_string_equal(found("HEAD", "/v1/users/me"), "GetMe");
        assert_string_equal(found("HEAD", "/healthz"), "/healthz");
        assert_string_equal(found("HEAD", "/v1/users/7/follow"), "PUT, DELETE, OPTIONS");
}

static void a_method_may_handle_head_itself(void **state)
{
        assert_string_equal(found("HEAD", "/v1/up/7"), "Stat");
        assert_string_equal(found("GET", "/v1/up/7"), "Read");
        assert_string_equal(found("PUT", "/v1/up/7"), "GET, HEAD, OPTIONS");
        assert_string_equal(found("GET", "/v1/only"), "HEAD, OPTIONS");
}

static void all_responses_on_a_path_have_its_headers(void **state)
{
        static const char *const verbs[] = {"GET", "HEAD", "PUT", "OPTIONS"};
        struct route_match m;

        for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
                (void)match(verbs[i], "/v1/up/7", &m);
                assert_non_null(m.at_path);
                assert_string_equal(m.at_path->headers[0], "A: b");
        }
        (void)match("GET", "/v1/users/me", &m);
        assert_null(m.at_path);
}

static void another_method_gets_the_allowed_ones(void **state)
{
        assert_string_equal(found("POST", "/v1/users/me"), "GET, HEAD, PATCH, OPTIONS");
        assert_string_equal(found("GET", "/v1/users/7/follow"), "PUT, DELETE, OPTIONS");
        assert_string_equal(found("DELETE", "/healthz"), "GET, HEAD, OPTIONS");
        assert_string_equal(found("BREW", "/v1/users"), "GET, HEAD, OPTIONS");
        assert_string_equal(found("get", "/v1/users"),
                            "GET, HEAD, OPTIONS"); /* verbs are case-sensitive (RFC 9110, 9.1) */
        assert_string_equal(found("", "/v1/users"), "GET, HEAD, OPTIONS");
}

static void the_asterisk_allows_every_method_that_a_route_has(void **state)
{
        assert_string_equal(found("OPTIONS", "*"), "GET, HEAD, PATCH, PUT, DELETE, OPTIONS");
        assert_string_equal(found("OPTIONS", "/*"), "-");
}

static void unknown_paths_are_not_found(void **state)
{
        static const char *const paths[] = {
            "//",      "/v1",           "/v2/users",     "/V1/users", "/v1/users/me/follow/x", "/v1/users/7/likes",
            "/v1/a/x", "/v1/a/x/y/d/z", "/healthz.json", "/v1/Users",
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                if (strcmp(found("GET", paths[i]), "-") != 0) {
                        fail_msg("«%s» gave %s", paths[i], found("GET", paths[i]));
                }
        }
}

static void trailing_slashes_and_empty_segments_are_not_found(void **state)
{
        static const char *const paths[] = {
            "/v1/users/",        "/v1/users/me/",       "/v1/users/7/",        "/v1//users", "//v1/users",
            "/v1/users//follow", "/v1/users/7//follow", "/v1/users/7/follow/", "/healthz/",  "/healthz//",
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
                if (strcmp(found("PUT", paths[i]), "-") != 0 || strcmp(found("GET", paths[i]), "-") != 0) {
                        fail_msg("«%s» gave %s", paths[i], found("GET", paths[i]));
                }
        }
}

static void a_path_that_is_too_deep_is_not_found(void **state)
{
        char path[4096] = "/v1";

        assert_string_equal(found("GET", "/v1/f/1/2/3/4/5"), "-"); /* more variables than a route may have */
        for (size_t at = 3; at + 3 < sizeof(path); at += 2) {
                memcpy(path + at, "/a", 3);
        }
        assert_string_equal(found("GET", path), "-");
}

static void methods_without_a_path_cannot_be_reached(void **state)
{
        assert_string_equal(found("GET", "/Internal"), "-");
        assert_string_equal(found("POST", "/sonet.user.v1.UserService/Internal"), "-");
}

/* Requests cannot be distinguished by the names of variables. */
static void two_contracts_with_the_same_route_are_rejected_by_name(void **state)
{
        static const struct rpc_method first[] = {
            {.name = "A", .full_name = "/one.A", .http_verb = "GET", .http_path = "/v1/x/{id}/y"}};
        static const struct rpc_method second[] = {
            {.name = "B", .full_name = "/two.B", .http_verb = "PUT", .http_path = "/v1/x/{id}/y"},
            {.name = "C", .full_name = "/two.C", .http_verb = "GET", .http_path = "/v1/x/{other}/y"}};
        static const struct rpc_service one = {.name = "one", .methods = first, .n_methods = 1};
        static const struct rpc_service two = {.name = "two", .methods = second, .n_methods = 2};
        const struct rpc_service *const both[] = {&one, &two};
        struct buf error;

        buf_init(&error, 1000);
        assert_null(router_new(both, 2, pages, files, &error));
        assert_string_equal(error.data, "duplicate route: GET /v1/x/{id}/y of /one.A, and /v1/x/{other}/y of /two.C;"
                                        " change the path of one of them");
        buf_free(&error);
}

static void a_contract_cannot_use_the_path_of_a_page(void **state)
{
        static const struct rpc_method taking[] = {
            {.name = "A", .full_name = "/one.A", .http_verb = "GET", .http_path = "/healthz"}};
        static const struct rpc_service one = {.name = "one", .methods = taking, .n_methods = 1};
        const struct rpc_service *const services[] = {&one};
        struct buf error;

        buf_init(&error, 1000);
        assert_null(router_new(services, 1, pages, files, &error));
        assert_non_null(strstr(error.data, "GET /healthz of /one.A"));
        buf_free(&error);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_path_finds_its_method_or_page),
            TEST(a_literal_segment_wins_over_a_variable),
            TEST(each_route_names_its_own_variables),
            TEST(values_are_percent_decoded_once),
            TEST(an_escaped_slash_is_part_of_its_segment),
            TEST(an_invalid_escape_is_malformed),
            TEST(head_is_matched_like_get),
            TEST(a_method_may_handle_head_itself),
            TEST(all_responses_on_a_path_have_its_headers),
            TEST(another_method_gets_the_allowed_ones),
            TEST(the_asterisk_allows_every_method_that_a_route_has),
            TEST(unknown_paths_are_not_found),
            TEST(trailing_slashes_and_empty_segments_are_not_found),
            TEST(a_path_that_is_too_deep_is_not_found),
            TEST(methods_without_a_path_cannot_be_reached),
            TEST(two_contracts_with_the_same_route_are_rejected_by_name),
            TEST(a_contract_cannot_use_the_path_of_a_page),
        };

        return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
