/* Waits in tests until the services have handled all events. On the test's own thread. */
#ifndef SERVICES_TEST_SETTLE_H
#define SERVICES_TEST_SETTLE_H

#include <stddef.h>

/* Its place in the table of services. */
size_t test_service_index(const char *service);

/* Waits until every event was handled. */
void test_network_settle(void);
/* Only this service's consumers. */
void test_service_settle(const char *service);
/* Closes the connections that were opened for it: the network ends. */
void test_settle_end(void);

#endif
