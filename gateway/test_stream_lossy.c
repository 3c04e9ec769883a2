/* Streams of a service that the test controls: acknowledgements of devices, and lossy channels. */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/metrics.h"
#include "gateway/testdata/wall.h"

#define SESSION "01890a5d-ac96-774b-bcce-b302099a8058"

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

/* ---- Acknowledgements ---- */

static void acknowledge(struct wall_client *client, const char *channel, const char *position)
{
        char text[600];

        (void)snprintf(text, sizeof(text), "{\"type\":\"acknowledge\",\"channel\":\"%s\",\"position\":\"%s\"}", channel,
                       position);
        wall_say(client, text);
}

/* Messages are handled in order: earlier ones have been handled. */
static void await_obeyed(struct wall_client *client)
{
        wall_say(client, "{\"type\":\"nothing\"}");
        wall_wait(client, "must be authenticate, ");
}

static void acknowledgements_are_passed_to_the_channels_method(void **state)
{
        struct wall_client client = wall_open_socket(wall_token_of(1, 600, SESSION));
        char position[256], told[200];

        wall_say(&client, "{\"type\":\"subscribe\",\"channel\":\"mine\"}");
        wall_wait(&client, "\"subscribed\"");
        wall_post("to-1", 10);
        wall_wait(&client, "000000000001");
        wall_last_position(&client, position);
        acknowledge(&client, "mine", position);
        await_obeyed(&client);
        wall_acknowledged(told);
        assert_string_equal(told, "mine 01890a5d-ac96-774b-bcce-b302099a8051 " SESSION
                                  " 018f0000-0000-7000-8000-0000000000aa 1");
        assert_int_equal(wall_count(&client, "\"type\":\"problem\""), 1); /* from await_obeyed, which has no response */
        wall_acknowledge_status = SN_UNAVAILABLE;
        acknowledge(&client, "mine", position);
        wall_wait(&client, "\"status\":503"); /* the stream continues */
        await_obeyed(&client);
        wall_close(&client);
}

static void invalid_acknowledgements_are_rejected(void **state)
{
        struct wall_client client = wall_open_socket(wall_token_of(1, 600, SESSION)),
                           other = wall_open_events("floor:a", NULL, NULL);
        char position[256], told[200];

        wall_wait(&other, "\"subscribed\"");
        wall_last_position(&other, position);
        wall_close(&other);
        acknowledge(&client, "mine", position);
        wall_wait(&client, "not_subscribed");
        wall_say(&client, "{\"type\":\"subscribe\",\"channel\":\"mine\"}");
        wall_wait(&client, "\"subscribed\"");
        acknowledge(&client, "mine", position); /* from another log */
        wall_wait(&client, "cursor_invalid");
        wall_wait(&client, "\"field\":\"position\"");
        acknowledge(&client, "mine", "abc");
        wall_wait(&client, "cursor_invalid");
        wall_say(&client, "{\"type\":\"acknowledge\",\"channel\":\"mine\"}");
        wall_wait(&client, "is required in a message of type acknowledge");
        wall_say(&client, "{\"type\":\"subscribe\",\"channel\":\"wall:a\"}");
        wall_wait(&client, "\"subscribed\"");
        wall_last_position(&client, position);
        acknowledge(&client, "wall:a", position);
        wall_wait(&client, "this channel does not take acknowledgements");
        wall_acknowledged(told);
        assert_string_equal(told, "");
        wall_close(&client);
}

/* ---- Lossy channels ---- */

static int64_t dropped(const char *metric)
{
        return metric_value(metric_counter(metric, "", NULL));
}

static void glimpse(struct wall_client *client, const char *wall)
{
        char text[200];

        (void)snprintf(text, sizeof(text), "{\"type\":\"subscribe\",\"channel\":\"glimpse:%s\"}", wall);
        wall_say(client, text);
        wall_wait(client, "\"subscribed\"");
        wall_wait(client, "\"resumed\":false}");
}

static void a_lossy_channel_reaches_subscribers_and_has_no_positions(void **state)
{
        struct wall_client socket = wall_open_socket(NULL), events = wall_open_events("wall:b,glimpse:a", NULL, NULL);
        char id[256];

        wall_wait(&events, "glimpse:a\"");
        wall_wait(&events, "\n\n");
        wall_last_id(&events, id); /* from the log's channel */
        glimpse(&socket, "a");
        assert_int_equal(wall_count(&socket, "\"position\""), 0);
        wall_signal("a");
        wall_wait(&socket, "{\"type\":\"event\",\"channel\":\"glimpse:a\",\"event\":\"post.created\",\"data\":{");
        wall_wait(&events, "post.created");
        struct wall_client late = wall_open_socket(NULL);

        glimpse(&late, "a");
        wall_signal("b"); /* no viewer is subscribed */
        wall_post("a", 1);
        wall_signal("a");
        wall_wait(&late, "post.created");
        assert_int_equal(wall_count(&late, "\"event\":"), 1);
        wall_close(&socket);
        wall_close(&events);
        wall_close(&late);
}

static void a_lossy_channel_shows_each_viewer_the_services_version(void **state)
{
        struct wall_client mine = wall_open_socket(wall_token_of(1, 600, SESSION)),
                           other = wall_open_socket(wall_token_of(2, 600, SESSION));

        glimpse(&mine, "to-1");
        glimpse(&other, "to-1");
        glimpse(&other, "a");
        wall_signal("to-1");
        wall_signal("a");
        wall_wait(&mine, "post.created");
        wall_wait(&other, "post.created");
        assert_int_equal(wall_count(&other, "\"channel\":\"glimpse:to-1\",\"event\""), 0);
        wall_close(&mine);
        wall_close(&other);
}

static void a_signal_that_cannot_be_shown_is_dropped_and_the_stream_continues(void **state)
{
        struct wall_client client = wall_open_socket(NULL);

        glimpse(&client, "a");
        int64_t before = dropped("sonet_stream_dropped_total");

        wall_route_status = SN_UNAVAILABLE;
        wall_signal("a");
        while (dropped("sonet_stream_dropped_total") == before) {
                clock_sleep_ms(5);
        }
        wall_route_status = SN_OK;
        wall_signal("a");
        wall_wait(&client, "post.created");
        assert_int_equal(wall_count(&client, "post.created"), 1);
        wall_close(&client);
}

static void a_slow_client_gets_no_lossy_events_and_is_not_disconnected(void **state)
{
        struct wall_client slow = wall_open_socket(NULL), quick = wall_open_socket(NULL);
        int64_t before = dropped("sonet_stream_dropped_total");

        glimpse(&slow, "a");
        glimpse(&quick, "a");
        for (int i = 0; i < 2; i++) {
                struct wall_client *client = i == 0 ? &slow : &quick;

                wall_say(client, "{\"type\":\"subscribe\",\"channel\":\"wall:a\"}");
                wall_wait(client, "\"subscribed\"");
        }
        wall_post("a", 8 << 20); /* more than the kernel's buffer */
        wall_wait(&quick, "x\"}}");
        for (int signals = 0; dropped("sonet_stream_dropped_total") == before; signals++) {
                assert_true(signals < 1000);
                wall_signal("a");
                wall_wait(&quick, "post.created");
        }
        wall_wait(&slow, "000000000001");
        wall_wait(&slow, "x\"}}");
        wall_signal("a");
        wall_wait(&slow, "\"channel\":\"glimpse:a\",\"event\"");
        assert_int_equal(wall_count(&slow, "slow_reader"), 0);
        wall_close(&slow);
        wall_close(&quick);
}

static void signals_that_arrive_faster_than_they_are_shown_are_dropped(void **state)
{
        struct wall_client client = wall_open_socket(NULL);
        int64_t before = dropped("sonet_signals_dropped_total");

        glimpse(&client, "gate");
        wall_gate_close();
        wall_signal("gate");
        wall_gate_await(1);
        for (int i = 0; i < 1100; i++) {
                wall_signal("gate");
        }
        assert_int_equal(dropped("sonet_signals_dropped_total") - before, 100); /* the queue is limited */
        wall_gate_open();
        wall_close(&client);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(acknowledgements_are_passed_to_the_channels_method),
            TEST(invalid_acknowledgements_are_rejected),
            TEST(a_lossy_channel_reaches_subscribers_and_has_no_positions),
            TEST(a_lossy_channel_shows_each_viewer_the_services_version),
            TEST(a_signal_that_cannot_be_shown_is_dropped_and_the_stream_continues),
            TEST(a_slow_client_gets_no_lossy_events_and_is_not_disconnected),
            TEST(signals_that_arrive_faster_than_they_are_shown_are_dropped),
        };

        return cmocka_run_group_tests_name("stream lossy", tests, NULL, NULL);
}
