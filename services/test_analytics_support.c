/* Owns the database of tests of analytics. */
#include "services/test_analytics_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
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

extern const struct service_definition analytics_service; /* also in the generated lists */

/* The folder of the journal. */
static char folder[40];

void analytics_start(void)
{
        struct settings settings = {.analytics_keep_months = 13,
                                    .analytics_min_group = TEST_ANALYTICS_MIN,
                                    .analytics_dir = folder,
                                    .analytics_journal_bytes = 1 << 24};

        (void)snprintf(folder, sizeof(folder), "/tmp/sonet-test-load.XXXXXX");
        assert_non_null(mkdtemp(folder));
        assert_int_equal(analytics_service.start(&service, &settings), SN_OK);
}

void analytics_stop(void)
{
        analytics_service.stop(NULL);
        assert_int_equal(rmdir(folder), 0);
}

static char *text_or_empty(const char *text)
{
        return text != NULL ? (char *)text : (char *)"";
}

void analytics_store_together(const struct about *all, size_t n)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = analytics_call();
        AnalyticsRows__TakenEvent **events = ARENA_ARRAY(c->arena, AnalyticsRows__TakenEvent *, n);

        for (size_t i = 0; i < n; i++) {
                events[i] = ARENA_NEW(c->arena, AnalyticsRows__TakenEvent);
                analytics_rows__taken_event__init(events[i]);
                events[i]->id = uuid_new_in(c->arena);
                events[i]->name = (char *)all[i].name;
                events[i]->at_ms = c->now_ms;
                events[i]->user_id = text_or_empty(all[i].user_id);
                events[i]->visitor = text_or_empty(all[i].visitor);
                events[i]->object_id = text_or_empty(all[i].object_id);
                events[i]->about_user_id = text_or_empty(all[i].about_user_id);
                events[i]->properties = text_or_empty(all[i].properties);
        }
        assert_int_equal(DB_WRITE(c, tx, store_events(tx, events, n, TEST_ANALYTICS_MIN)), SN_OK);
}

void analytics_store(const struct about *a)
{
        analytics_store_together(a, 1);
}
