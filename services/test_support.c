/* Owns the services' databases in tests. */
#include "services/test_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

void test_services_provision(void)
{
        struct buf error;

        buf_init(&error, 4096);
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (db_provision(test_admin_url(), sonet_services[i]->schema, NULL, &error) != SN_OK) {
                        fail_msg("%s: %s", sonet_services[i]->name, error.data);
                }
        }
        buf_free(&error);
}

void test_service_url(char out[300], const struct service_definition *definition)
{
        test_url(out, definition->schema->database, definition->schema->database);
}
