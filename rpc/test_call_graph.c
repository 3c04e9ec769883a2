/* The declared call graph. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "rpc/call_graph.h"

/* A path longer than there are edges goes round in a circle. */
static size_t longest_path(const struct call_edge *edges, size_t n, const char *from, size_t depth)
{
        size_t longest = 0;
        assert_true(depth <= n);
        for (size_t i = 0; i < n; i++) {
                if (strcmp(edges[i].caller, from) == 0) {
                        size_t length = 1 + longest_path(edges, n, edges[i].callee, depth + 1);
                        longest = length > longest ? length : longest;
                }
        }
        return longest;
}

static void calls_have_no_cycle(void **state)
{
        (void)state;
        size_t n;
        const struct call_edge *edges = call_graph_calls(&n);
        assert_true(n > 0);
        for (size_t i = 0; i < n; i++) {
                assert_true(longest_path(edges, n, edges[i].caller, 0) <= n);
        }
}

static void nobody_calls_the_gateway(void **state)
{
        (void)state;
        size_t n;
        const struct call_edge *edges = call_graph_calls(&n);
        for (size_t i = 0; i < n; i++) {
                assert_string_not_equal(edges[i].callee, CALL_GRAPH_GATEWAY);
                assert_string_not_equal(edges[i].caller, edges[i].callee);
        }
        assert_true(call_graph_allows(CALL_GRAPH_GATEWAY, "user", "Register"));
        assert_false(call_graph_allows("user", CALL_GRAPH_GATEWAY, "Register"));
}

static void only_logs_may_be_read_against_the_direction_of_calls(void **state)
{
        (void)state;
        assert_true(call_graph_allows("user", "note", CALL_GRAPH_READ_LOG));
        assert_false(call_graph_allows("user", "note", "BatchGet"));
        assert_true(call_graph_allows("timeline", "note", "BatchGet"));
        assert_false(call_graph_allows("", "user", "GetUser"));
        assert_false(call_graph_allows("stranger", "user", CALL_GRAPH_READ_LOG));
}

static void names_of_services_are_known(void **state)
{
        (void)state;
        assert_true(call_graph_knows("gateway"));
        assert_true(call_graph_knows("timeline"));
        assert_false(call_graph_knows("stranger"));
        assert_false(call_graph_knows(""));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(calls_have_no_cycle),
            cmocka_unit_test(nobody_calls_the_gateway),
            cmocka_unit_test(only_logs_may_be_read_against_the_direction_of_calls),
            cmocka_unit_test(names_of_services_are_known),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
