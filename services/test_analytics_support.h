/* For tests of analytics: its database, and storing events like its consumers and journal. */
#ifndef SERVICES_TEST_ANALYTICS_SUPPORT_H
#define SERVICES_TEST_ANALYTICS_SUPPORT_H

#include "base/call.h"

#define TEST_ANALYTICS     "analytics_service"
#define TEST_ANALYTICS_MIN 5 /* ANALYTICS_MIN_GROUP */

int analytics_setup(void **state);
int analytics_teardown(void **state);
struct rpc_call *analytics_call(void);

/* With a journal in its own folder, which analytics_stop removes. */
void analytics_start(void);
void analytics_stop(void);

/* What an event is about; fields may be NULL. */
struct about {
        const char *name, *user_id, *visitor, *object_id, *about_user_id, *properties;
};
/* Stores it with the current time and a new id. */
void analytics_store(const struct about *a);
void analytics_store_together(const struct about *all, size_t n); /* in one batch */

#endif
