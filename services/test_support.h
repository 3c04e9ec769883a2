/* What the tests of the services share: their databases on the private server of tests/with-servers. */
#ifndef SERVICES_TEST_SUPPORT_H
#define SERVICES_TEST_SUPPORT_H

#include "db/test_support.h"
#include "services/services.h"

/* Creates and migrates the databases of all services. Fails the test when that fails. */
void test_services_provision(void);
/* The role's URL of a service's database. */
void test_service_url(char out[300], const struct service_definition *definition);

#endif
