/* How much a client may have missed when it resumes: 10,000 events of ten minutes, also across a restart of the server.
 * It subscribes to the wall "a"; an event of "end" is posted after them, to see when they have passed. */
#include <stdio.h>
#include "gateway/testdata/wall.h"

enum { KEPT = 10000, KEPT_S = 600 };

static int setup(void **state)
{
        wall_start();
        return 0;
}

static int teardown(void **state)
{
        wall_stop(5000);
        return 0;
}

/* Expects "subscribed", resumed or not; since NULL: from now on. */
static struct wall_client subscribe(const char *wall, const char *since, const char *resumed)
{
        struct wall_client client = wall_open_socket(NULL);
        char text[600];

        (void)snprintf(text, sizeof(text), "{\"type\":\"subscribe\",\"channel\":\"wall:%s\"%s%s%s}", wall,
                       since != NULL ? ",\"since\":\"" : "", since != NULL ? since : "", since != NULL ? "\"" : "");
        wall_say(&client, text);
        wall_wait(&client, resumed);
        return client;
}

static void position_now(char position[256])
{
        struct wall_client client = subscribe("end", NULL, "\"resumed\":false");

        wall_last_position(&client, position);
        wall_close(&client);
}

static void post(const char *wall, int n)
{
        for (int i = 0; i < n; i++) {
                wall_post(wall, 1);
        }
}

/* When this returns the streams have passed it, and everything posted before. */
static void post_end(void)
{
        struct wall_client client = subscribe("end", NULL, "\"resumed\":false");

        wall_post("end", 1);
        wall_wait(&client, "post.created");
        wall_close(&client);
}

/* Exactly the posts first to last of "a" have been missed since then. */
static void assert_resumes(const char *since, int first, int last)
{
        struct wall_client client = subscribe("a", since, "\"resumed\":true");

        for (int i = first; i <= last; i++) {
                char id[60];

                (void)snprintf(id, sizeof(id), "\"id\":\"018f0000-0000-7000-8000-%012d\"", i);
                wall_wait(&client, id);
        }
        assert_int_equal(wall_count(&client, "post.created"), last - first + 1);
        wall_close(&client);
}

static void assert_too_old(const char *since)
{
        struct wall_client client = subscribe("a", since, "\"resumed\":false");

        wall_close(&client);
}

static void ten_thousand_events_are_replayed_and_no_more(void **state)
{
        char before[256], later[256];

        position_now(before);
        post_end();
        position_now(later);
        post("a", KEPT - 2);
        post_end();
        assert_resumes(before, 2, KEPT - 1);
        post_end();
        assert_too_old(before);
        assert_resumes(later, 2, KEPT - 1);
        wall_restart();
        assert_too_old(before);
        assert_resumes(later, 2, KEPT - 1);
}

static void events_of_the_last_ten_minutes_are_replayed(void **state)
{
        char before[256], later[256];

        position_now(before);
        wall_age_s = KEPT_S + 1;
        post("a", 2);
        post_end();
        position_now(later);
        wall_age_s = KEPT_S / 2;
        post("a", 3);
        post_end();
        for (int i = 0; i < 2; i++) {
                assert_too_old(before);
                assert_resumes(later, 4, 6);
                wall_restart();
        }
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(ten_thousand_events_are_replayed_and_no_more),
            TEST(events_of_the_last_ten_minutes_are_replayed),
        };

        return cmocka_run_group_tests_name("stream resume", tests, NULL, NULL);
}
