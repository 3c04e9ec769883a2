/* Owns the database of tests of analytics. */
#include "services/test_analytics_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "services/analytics/store.h"
#include "services/test_support.h"

static struct service service = {.name = "analytics"};

int analytics_setup(void **state)
{
        static char url[300];

        test_services_provision();
        test_url(url, TEST_ANALYTICS, TEST_ANALYTICS);
        service.db = db_new(&(struct db_options){.name = TEST_ANALYTICS, .url = url, .max_connections = 2});
        return service.db != NULL ? 0 : -1;
}

int analytics_teardown(void **state)
{
        db_free(service.db);
        return 0;
}

struct rpc_call *analytics_call(void)
{
        return rpc_call_new_background(&service, 20000);
}

static char *text_or_empty(const char *text)
{
        return text != NULL ? (char *)text : (char *)"";
}

void analytics_store(const struct about *a)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__TakenEvent event = ANALYTICS_ROWS__TAKEN_EVENT__INIT, *list[1] = {&event};

        event.id = uuid_new_in(c->arena);
        event.name = (char *)a->name;
        event.at_ms = c->now_ms;
        event.user_id = text_or_empty(a->user_id);
        event.visitor = text_or_empty(a->visitor);
        event.object_id = text_or_empty(a->object_id);
        event.about_user_id = text_or_empty(a->about_user_id);
        event.properties = text_or_empty(a->properties);
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, list, 1, NULL)), SN_OK);
}
