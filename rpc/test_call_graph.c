/* The call graph, with contracts for this test. services/test_contracts.c checks that SoNet's services have no cycle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/contract.h"
#include "rpc/call_graph.h"

static const char *const below[] = {"base", NULL}, *const logs[] = {"top", NULL};
static const struct rpc_method method;
static const struct rpc_service base = {.name = "base", .reads = logs, .methods = &method, .n_methods = 1};
static const struct rpc_service top = {.name = "top", .calls = below, .methods = &method, .n_methods = 1};
static const char *const both[] = {"base", "top", NULL}, *const itself[] = {"snake", NULL};
static const struct rpc_service roof = {
    .name = "roof", .calls = both, .methods = &method, .n_methods = 1, .collects_exports = true};
static const struct rpc_service snake = {.name = "snake", .calls = itself, .methods = &method, .n_methods = 1};
static const struct rpc_service messages_only = {.name = "events"};

static void a_service_may_only_call_services_in_its_contract(void **state)
{
        assert_true(call_graph_allows("top", "base", "Get"));
        assert_false(call_graph_allows("base", "top", "Get"));
        assert_false(call_graph_allows("top", "top", "Get"));
        assert_false(call_graph_allows("stranger", "base", "Get"));
        assert_false(call_graph_allows("", "base", "Get"));
}

static void logs_are_read_as_declared_in_the_contract(void **state)
{
        assert_true(call_graph_allows("base", "top", CALL_GRAPH_READ_LOG));
        assert_false(call_graph_allows("top", "base", CALL_GRAPH_READ_LOG));
        assert_false(call_graph_allows("stranger", "top", CALL_GRAPH_READ_LOG));
}

static void exports_are_read_as_declared_in_the_contract(void **state)
{
        assert_true(call_graph_allows("roof", "base", CALL_GRAPH_READ_EXPORT));
        assert_true(call_graph_allows("roof", "roof", CALL_GRAPH_READ_EXPORT));
        assert_false(call_graph_allows("roof", "stranger", CALL_GRAPH_READ_EXPORT));
        assert_false(call_graph_allows("top", "base", CALL_GRAPH_READ_EXPORT));
        assert_false(call_graph_allows("roof", "snake", "Get"));
}

static void the_gateway_calls_every_service_and_no_service_calls_it(void **state)
{
        assert_true(call_graph_allows(CALL_GRAPH_GATEWAY, "base", "Get"));
        assert_false(call_graph_allows("base", CALL_GRAPH_GATEWAY, "Get"));
}

static void a_service_ranks_above_all_services_that_it_calls(void **state)
{
        assert_int_equal(call_graph_rank("base"), 0);
        assert_int_equal(call_graph_rank("top"), 1);
        assert_int_equal(call_graph_rank("roof"), 2);
        assert_int_equal(call_graph_rank("snake"), CALL_GRAPH_MAX_RANK);
}

static void only_services_and_the_gateway_have_names(void **state)
{
        assert_true(call_graph_knows("gateway"));
        assert_true(call_graph_knows("top"));
        assert_false(call_graph_knows("events"));
        assert_false(call_graph_knows("stranger"));
        assert_false(call_graph_knows(""));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_service_may_only_call_services_in_its_contract),
            cmocka_unit_test(logs_are_read_as_declared_in_the_contract),
            cmocka_unit_test(exports_are_read_as_declared_in_the_contract),
            cmocka_unit_test(the_gateway_calls_every_service_and_no_service_calls_it),
            cmocka_unit_test(a_service_ranks_above_all_services_that_it_calls),
            cmocka_unit_test(only_services_and_the_gateway_have_names),
        };
        contract_register(&base);
        contract_register(&top);
        contract_register(&roof);
        contract_register(&snake);
        contract_register(&messages_only);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
