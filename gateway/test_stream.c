/* Streams of a service that the test controls: what clients get if something fails, waits or stops. */
#include <stdio.h>
#include <string.h>
#include "auth/token.h"
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

static void subscribe(struct wall_client *client, const char *wall, const char *since)
{
        char text[600];

        (void)snprintf(text, sizeof(text), "{\"type\":\"subscribe\",\"channel\":\"wall:%s\"%s%s%s}", wall,
                       since != NULL ? ",\"since\":\"" : "", since != NULL ? since : "", since != NULL ? "\"" : "");
        wall_say(client, text);
}

/* A client with a position before the next posts. */
static void note_position(char position[256])
{
        struct wall_client client = wall_open_socket(NULL);

        subscribe(&client, "a", NULL);
        wall_wait(&client, "\"subscribed\"");
        wall_wait(&client, "\"resumed\":false");
        wall_last_position(&client, position);
        wall_close(&client);
}

/* Events without subscribers; returns when the streams have passed them. */
static void post_missed(const char *wall, int n, size_t bytes)
{
        struct wall_client client = wall_open_socket(NULL);

        subscribe(&client, "end", NULL);
        wall_wait(&client, "\"subscribed\"");
        for (int i = 0; i < n; i++) {
                wall_post(wall, bytes);
        }
        wall_post("end", 1);
        wall_wait(&client, "post.created");
        wall_close(&client);
}

/* ---- Replays ---- */

static void a_replay_larger_than_the_limit_of_unread_bytes_is_complete(void **state)
{
        char position[256];

        note_position(position);
        post_missed("a", 300, 20000); /* 6 MB: more than a client may leave unread */
        struct wall_client client = wall_open_socket(NULL);

        subscribe(&client, "a", position);
        wall_wait(&client, "\"resumed\":true");
        for (int i = 0; i < 300; i++) {
                char id[60];

                (void)snprintf(id, sizeof(id), "\"id\":\"018f0000-0000-7000-8000-%012d\"", i + 1);
                wall_wait(&client, id);
        }
        assert_int_equal(wall_count(&client, "post.created"), 300);
        assert_int_equal(wall_count(&client, "slow_reader"), 0);
        wall_close(&client);
}

static void a_reader_that_keeps_up_is_not_slow(void **state)
{
        struct wall_client client = wall_open_socket(NULL);

        subscribe(&client, "a", NULL);
        wall_wait(&client, "\"subscribed\"");
        wall_post("a", 3 << 20); /* one message, larger than the limit of unread bytes and the kernel's buffer */
        wall_wait(&client, "000000000001");
        wall_wait(&client, "\"}}"); /* its end */
        wall_post("a", 10);
        wall_wait(&client, "000000000002");
        wall_close(&client);
}

/* One message is larger than the limit of unread bytes and the kernel's buffer, and smaller than four times the limit.
 */
static struct wall_client open_and_fill(void)
{
        struct wall_client client = wall_open_socket(NULL);

        subscribe(&client, "a", NULL);
        wall_wait(&client, "\"subscribed\"");
        wall_post("a", 7 << 20);
        return client;
}

static void a_burst_does_not_end_the_stream_of_a_client_that_keeps_up(void **state)
{
        struct wall_client client = open_and_fill();

        wall_post("a", 10);
        post_missed("b", 1, 10); /* both were sent */
        wall_wait(&client, "000000000001");
        wall_wait(&client, "000000000002");
        assert_int_equal(wall_count(&client, "slow_reader"), 0);
        wall_close(&client);
}

/* Both events at the gate are requested before one of them is answered, and the next one waits. */
static void events_are_requested_concurrently_and_arrive_in_order(void **state)
{
        struct wall_client client = wall_open_socket(NULL);

        subscribe(&client, "gate", NULL);
        subscribe(&client, "b", NULL);
        wall_wait(&client, "\"wall:b\"");
        wall_log_is_away = true;
        wall_gate_close();
        wall_post("gate", 10);
        wall_post("gate", 10);
        wall_post("b", 10);
        wall_log_is_away = false;
        wall_gate_await(2);
        assert_int_equal(wall_count(&client, "post.created"), 0);
        wall_gate_open();
        for (int i = 1; i <= 3; i++) {
                char end[16];

                (void)snprintf(end, sizeof(end), "%012d", i);
                wall_wait(&client, end);
        }
        assert_int_equal(wall_count(&client, "post.created"), 3);
        wall_close(&client);
}

static void cut_off_slow_reader(size_t bytes)
{
        struct metric *slow = metric_counter("sonet_stream_slow_readers_total", "", NULL);
        struct wall_client client = open_and_fill();
        int64_t before = metric_value(slow);

        wall_post("a", bytes);
        for (int i = 0; metric_value(slow) == before; i++) {
                assert_true(i < 6000);
                wall_post("a", 10); /* what is too slow shows when something is sent */
                clock_sleep_ms(5);
        }
        wall_wait(&client, "\"slow_reader\"");
        wall_wait_end(&client);
        wall_close(&client);
}

static void a_client_with_too_much_unread_is_disconnected_after_a_second(void **state)
{
        int64_t began_us = clock_monotonic_us();

        cut_off_slow_reader(10);
        assert_true(clock_monotonic_us() - began_us >= 1000000);
}

static void a_client_with_four_times_as_much_unread_is_disconnected(void **state)
{
        cut_off_slow_reader(4 << 20);
}

static int setup_large(void **state)
{
        wall_settings.stream_unsent_bytes = 2 << 20;
        return setup(state);
}

static int teardown_large(void **state)
{
        wall_settings.stream_unsent_bytes = 262144;
        return teardown(state);
}

static void a_failing_replay_ends_the_stream_which_resumes(void **state)
{
        char position[256];

        note_position(position);
        post_missed("a", 600, 1000);
        wall_shows_left = 1;
        wall_show_status = SN_UNAVAILABLE;
        struct wall_client client = wall_open_socket(NULL);

        subscribe(&client, "a", position);
        wall_wait(&client, "\"resumed\":true");
        wall_wait(&client, "reconnect and resume");
        wall_wait_end(&client);
        wall_last_position(&client, position);
        int first = wall_count(&client, "post.created");

        assert_true(first > 0 && first < 600);
        wall_close(&client);
        wall_show_status = SN_OK;
        client = wall_open_socket(NULL);
        subscribe(&client, "a", position);
        wall_wait(&client, "000000000600");
        assert_int_equal(wall_count(&client, "post.created"), 600 - first);
        wall_close(&client);
}

/* ---- Server-sent events ---- */

static void a_failing_channel_ends_server_sent_events(void **state)
{
        char id[256];
        struct wall_client client = wall_open_events("wall:a", NULL, NULL);

        wall_wait(&client, "\"subscribed\"");
        wall_last_id(&client, id);
        wall_close(&client);
        post_missed("a", 1, 100);
        wall_shows_left = 0;
        wall_show_status = SN_UNAVAILABLE;
        client = wall_open_events("wall:a,wall:b", id, NULL);
        wall_wait(&client, "\"problem\"");
        wall_wait_end(&client);
        wall_close(&client);
}

static void an_id_skips_no_unsent_event_of_another_channel(void **state)
{
        char id[256];
        struct wall_client client = wall_open_events("wall:gate,wall:b", NULL, NULL);

        wall_wait(&client, "wall:gate");
        wall_wait(&client, "wall:b");
        wall_last_id(&client, id);
        wall_close(&client);
        client = wall_open_events("wall:gate,wall:gate2,wall:b", id, NULL);
        wall_wait(&client, "wall:b");
        wall_gate_close();
        wall_post("gate", 100);
        wall_gate_await(1); /* it is being sent to the streams */
        struct wall_client other = wall_open_events("wall:gate2,wall:b", NULL, NULL);

        wall_wait(&other, "wall:b\"");
        wall_wait(&other, "\n\n");
        wall_last_id(&other, id);
        wall_close(&other);
        wall_gate_open();
        other = wall_open_events("wall:gate", id, NULL);
        wall_wait(&other, "000000000001"); /* it is still to be sent after that ID */
        wall_close(&other);
        wall_wait(&client, "000000000001");
        wall_close(&client);
}

static void an_id_resumes_channels_of_several_logs(void **state)
{
        char id[256];
        struct wall_client client = wall_open_events("floor:a,wall:a,floor:b", NULL, NULL);

        wall_wait(&client, "floor:b\"");
        wall_wait(&client, "\n\n");
        wall_last_id(&client, id);
        wall_close(&client);
        post_missed("a", 1, 10);
        post_missed("b", 1, 10);
        client = wall_open_events("wall:a,wall:b,floor:a,floor:b", id, NULL);
        wall_wait(&client, "floor:b\",\"event\"");
        assert_int_equal(wall_count(&client, "\"resumed\":true"), 4);
        assert_int_equal(wall_count(&client, "post.created"), 4);
        wall_close(&client);
}

/* ---- A personal channel ---- */

static void a_personal_channel_reaches_all_devices_of_its_member_only(void **state)
{
        struct wall_client phone = wall_open_socket(wall_token_of(1, 600, SESSION)),
                           laptop = wall_open_socket(wall_token_of(1, 600, SESSION)),
                           other = wall_open_socket(wall_token_of(2, 600, SESSION)), nobody = wall_open_socket(NULL);

        wall_say(&nobody, "{\"type\":\"subscribe\",\"channel\":\"mine\"}");
        wall_wait(&nobody, "token_missing");
        wall_close(&nobody);
        for (int i = 0; i < 3; i++) {
                struct wall_client *client = i == 0 ? &phone : i == 1 ? &laptop : &other;

                wall_say(client, "{\"type\":\"subscribe\",\"channel\":\"mine\"}");
                wall_wait(client, "\"subscribed\"");
        }
        wall_post("to-1", 10);
        wall_post("to-2", 10);
        wall_wait(&other, "000000000002");
        wall_wait(&phone, "000000000001");
        wall_wait(&laptop, "000000000001");
        assert_int_equal(wall_count(&other, "post.created"), 1);
        assert_int_equal(wall_count(&phone, "000000000002"), 0);
        wall_close(&phone);
        wall_close(&laptop);
        wall_close(&other);
}

/* ---- Failures ---- */

static void an_event_that_cannot_be_routed_ends_the_streams_which_resume(void **state)
{
        char position[256];
        struct wall_client client = wall_open_socket(NULL);

        subscribe(&client, "a", NULL);
        wall_wait(&client, "\"resumed\":false");
        wall_last_position(&client, position);
        wall_route_status = SN_INTERNAL;
        wall_post("a", 100);
        wall_wait(&client, "reconnect and resume");
        wall_wait_end(&client);
        wall_close(&client);
        wall_route_status = SN_OK;
        client = wall_open_socket(NULL);
        subscribe(&client, "a", position);
        wall_wait(&client, "\"resumed\":true");
        wall_wait(&client, "000000000001");
        wall_close(&client);
}

static void an_unreachable_log_delays_few_workers_briefly(void **state)
{
        struct wall_client clients[10];
        int64_t began_us = clock_monotonic_us();

        wall_stop(5000);
        wall_log_is_away = true;
        wall_start();
        wall_log_is_away = true;
        for (int i = 0; i < 10; i++) {
                clients[i] = wall_open_socket(NULL);
                subscribe(&clients[i], "a", NULL);
        }
        for (int i = 0; i < 10; i++) {
                wall_wait(&clients[i], "\"status\":503");
        }
        assert_true(clock_monotonic_us() - began_us < 5000000); /* one of them used to wait that long */
        wall_log_is_away = false;
        for (int i = 0; i < 10; i++) {
                do { /* when it is back */
                        subscribe(&clients[i], "a", NULL);
                        wall_wait(&clients[i], "\"type\":\"");
                } while (strncmp(clients[i].in.data + clients[i].seen, "subscribed", 10) != 0);
                wall_close(&clients[i]);
        }
}

static void an_event_too_large_for_one_response_is_shown_to_fewer_at_a_time(void **state)
{
        struct wall_client clients[6];

        for (int i = 0; i < 6; i++) {
                clients[i] = wall_open_socket(wall_token_of(i, 600, SESSION));
                subscribe(&clients[i], "a", NULL);
                wall_wait(&clients[i], "\"subscribed\"");
        }
        wall_post("a", 8 << 20); /* for all of them more than a call may return */
        for (int i = 0; i < 6; i++) {
                wall_wait(&clients[i], "000000000001");
                wall_wait(&clients[i], "x\"}}"); /* all of it */
        }
        wall_post("a", 10);
        for (int i = 0; i < 6; i++) {
                wall_wait(&clients[i], "000000000002"); /* none was disconnected */
                wall_close(&clients[i]);
        }
}

/* ---- Sessions ---- */

static void a_stream_ends_with_its_token(void **state)
{
        struct wall_client client = wall_open_socket(wall_token(2, SESSION));
        int64_t ends_ms = (clock_wall_ms() / 1000 + 1) * 1000; /* at the earliest */

        wall_wait(&client, "\"authenticated\"");
        wall_wait(&client, "token_expired");
        assert_true(clock_wall_ms() >= ends_ms);
        wall_wait_end(&client);
        wall_close(&client);
}

static void a_stream_continues_with_the_latest_token(void **state)
{
        struct wall_client client = wall_open_socket(wall_token(2, SESSION));
        int64_t expired_ms = clock_wall_ms() + 3000;
        char text[2200];

        wall_wait(&client, "\"authenticated\"");
        (void)snprintf(text, sizeof(text), "{\"type\":\"authenticate\",\"access_token\":\"%s\"}",
                       wall_token(600, SESSION));
        wall_say(&client, text);
        wall_wait(&client, "\"authenticated\"");
        while (clock_wall_ms() < expired_ms) {
                clock_sleep_ms(50);
        }
        subscribe(&client, "a", NULL);
        wall_wait(&client, "\"subscribed\"");
        wall_post("a", 10);
        wall_wait(&client, "post.created");
        assert_int_equal(wall_count(&client, "token_expired"), 0);
        wall_close(&client);
}

static void an_ended_session_ends_a_stream_without_channels(void **state)
{
        const char *session = "01890a5d-ac96-774b-bcce-b302099a8059";
        struct wall_client client = wall_open_socket(wall_token(600, session));

        wall_wait(&client, "\"authenticated\"");
        token_revoke_session(session, clock_wall_ms() / 1000 + 600);
        wall_wait(&client, "token_revoked");
        wall_wait_end(&client);
        wall_close(&client);
}

static void a_session_ended_while_its_stream_starts_ends_it(void **state)
{
        const char *session = "01890a5d-ac96-774b-bcce-b302099a805a";

        wall_gate_close();
        struct wall_client client = wall_open_events("wall:gate", NULL, wall_token(600, session));

        wall_gate_await(1); /* its token has been checked */
        struct wall_client other = wall_open_socket(wall_token(600, session));

        wall_wait(&other, "\"authenticated\"");
        token_revoke_session(session, clock_wall_ms() / 1000 + 600);
        wall_wait(&other, "token_revoked"); /* the hub has checked the existing streams */
        wall_close(&other);
        wall_gate_open();
        wall_wait(&client, "token_revoked");
        wall_wait_end(&client);
        wall_close(&client);
}

/* ---- Shutdown ---- */

static void a_stop_does_not_wait_for_a_stream_that_is_being_opened(void **state)
{
        wall_gate_close();
        struct wall_client events = wall_open_events("wall:gate", NULL, NULL), socket = wall_open_socket(NULL);

        subscribe(&socket, "gate", NULL);
        wall_gate_await(2);
        wall_stop(0); /* they continue afterwards, and find what they need */
        wall_wait_end(&events);
        wall_wait_end(&socket);
        wall_close(&events);
        wall_close(&socket);
        wall_start();
}

#define TEST(fn)       cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define TEST_LARGE(fn) cmocka_unit_test_setup_teardown(fn, setup_large, teardown_large)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_replay_larger_than_the_limit_of_unread_bytes_is_complete),
            TEST(a_reader_that_keeps_up_is_not_slow),
            TEST(events_are_requested_concurrently_and_arrive_in_order),
            TEST_LARGE(a_burst_does_not_end_the_stream_of_a_client_that_keeps_up),
            TEST_LARGE(a_client_with_too_much_unread_is_disconnected_after_a_second),
            TEST_LARGE(a_client_with_four_times_as_much_unread_is_disconnected),
            TEST(a_failing_replay_ends_the_stream_which_resumes),
            TEST(a_failing_channel_ends_server_sent_events),
            TEST(an_id_skips_no_unsent_event_of_another_channel),
            TEST(an_id_resumes_channels_of_several_logs),
            TEST(a_personal_channel_reaches_all_devices_of_its_member_only),
            TEST(an_event_that_cannot_be_routed_ends_the_streams_which_resume),
            TEST(an_unreachable_log_delays_few_workers_briefly),
            TEST(an_event_too_large_for_one_response_is_shown_to_fewer_at_a_time),
            TEST(a_stream_ends_with_its_token),
            TEST(a_stream_continues_with_the_latest_token),
            TEST(an_ended_session_ends_a_stream_without_channels),
            TEST(a_session_ended_while_its_stream_starts_ends_it),
            TEST(a_stop_does_not_wait_for_a_stream_that_is_being_opened),
        };

        return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
