/* The routes of all services together: conflicting ones fail the build. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "gateway/pages.h"
#include "gateway/router.h"
#include "services/services.h"
#include "web/web.h"

static void no_two_services_have_the_same_route(void **state)
{
        const struct rpc_service *contracts[16];
        struct buf error;

        buf_init(&error, 1000);
        for (size_t i = 0; i < sonet_n_services; i++) {
                contracts[i] = sonet_services[i]->contract;
        }
        struct router *router = router_new(contracts, sonet_n_services, gateway_pages(true), web_files, &error);
        if (router == NULL) {
                fail_msg("%s", error.data);
        }
        router_free(router);
        buf_free(&error);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(no_two_services_have_the_same_route)};

        return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
