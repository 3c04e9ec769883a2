/* Upgraded connections: who gets their bytes, how they end, and what other threads may do. */
#include "http/test_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/workers.h"
#include "http/upgrade.h"

/* The server after an upgrade: it echoes each byte, except those in `bytes`. */
struct talk {
        struct http_upgraded *u;
        struct http_task resume;
};

static struct fixture f;
static struct workers *pool;
static struct talk talks[100], *talk; /* the newest one */
static atomic_int n_begun, n_ended, n_due, n_stopped, n_tasks;
static atomic_int n_made;
static bool from_worker;
static pthread_t read_on[100], begun_on[100]; /* the threads that read each connection, and that started it */
static atomic_int n_read;

static void begin(void *context, struct http_upgraded *u)
{
        talk = context;
        talk->u = u;
        begun_on[atomic_fetch_add(&n_begun, 1)] = pthread_self();
        http_upgraded_send(u, "welcome ", 8);
}

static void bytes(void *context, struct str *in)
{
        static char flood[1 << 20];
        struct http_upgraded *u = ((struct talk *)context)->u;
        char word = in->ptr[0];

        if (word == 'F') {
                http_upgraded_send(u, flood, sizeof(flood));
        } else if (word == 'C') {
                http_upgraded_send(u, "bye", 3);
                http_upgraded_close(u, 10000000);
        } else if (word == 'P') {
                http_upgraded_pause(u);
        } else if (word == 'D') {
                http_upgraded_due(u, clock_monotonic_us());
        } else {
                http_upgraded_send(u, in->ptr, 1);
        }
        in->ptr++;
        in->len--;
}

static void due(void *context, int64_t now_us)
{
        http_upgraded_send(((struct talk *)context)->u, "due", 3);
        atomic_fetch_add(&n_due, 1);
}

static void stop(void *context)
{
        atomic_fetch_add(&n_stopped, 1);
        http_upgraded_send(((struct talk *)context)->u, "stop", 4);
        http_upgraded_close(((struct talk *)context)->u, 1000000);
}

static void end(void *context)
{
        atomic_fetch_add(&n_ended, 1);
}

static const struct http_upgrade upgrade = {.begin = begin, .bytes = bytes, .due = due, .stop = stop, .end = end};

struct job {
        struct work work;
        struct http_request *request;
};

static void fill(struct http_response *response)
{
        *response = (struct http_response){.status = 101, .upgrade = &upgrade, .upgrade_context = &talks[n_made++]};
        buf_init(&response->body, 100);
        http_response_header(response, "Connection", "Upgrade");
}

static void answer_upgrade(struct work *work, bool expired)
{
        struct http_response response;

        fill(&response);
        http_respond(((struct job *)work)->request, &response);
}

static bool on_headers(void *context, struct http_request *r, size_t *max_body, struct http_response *early)
{
        read_on[atomic_fetch_add(&n_read, 1)] = pthread_self();
        return true;
}

static bool on_request(void *context, struct http_request *r, struct http_response *early)
{
        if (from_worker) {
                struct job *job = ARENA_NEW(r->arena, struct job);

                *job = (struct job){{.run = answer_upgrade}, r};
                return workers_submit(pool, &job->work);
        }
        buf_free(&early->body);
        fill(early);
        return false;
}

static void on_refusal(void *context, struct http_request *r, int status, const char *detail,
                       struct http_response *response)
{
}

static void start_with(int io_threads)
{
        struct http_options options = fixture_options();
        options.io_threads = io_threads;
        options.slow_client_ms = 1000;
        options.idle_ms = 1000;
        n_read = n_begun = n_ended = n_due = n_stopped = n_tasks = n_made = 0;
        pool = workers_new("test", 2, 10);
        fixture_start_handlers(&f, &options, &(struct http_handlers){on_headers, on_request, on_refusal, NULL});
}

static void start(void)
{
        start_with(1);
}

static void finish(int grace_ms)
{
        http_server_stop(f.server, grace_ms);
        workers_free(pool);
}

/* The next data is this. */
static void expect(int fd, const char *text)
{
        char got[512] = "";
        size_t n = 0, len = strlen(text);

        while (n < len) {
                ssize_t more = recv(fd, got + n, len - n, 0);

                assert_true(more > 0);
                n += (size_t)more;
        }
        assert_string_equal(got, text);
}

static int upgraded(const char *sent_along)
{
        char head[64] = "", byte = 0;
        int fd = client_open(&f);
        size_t n = 0;

        client_send_text(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        client_send_text(fd, sent_along);
        expect(fd, "HTTP/1.1 101 Switching Protocols\r\nDate: ");
        while (strstr(head, "\r\n\r\n") == NULL) { /* neither Content-Length nor Connection: close is among it */
                assert_int_equal(recv(fd, &byte, 1, 0), 1);
                head[n++] = byte;
                assert_true(n < sizeof(head));
        }
        assert_non_null(strstr(head, " GMT\r\nConnection: Upgrade\r\n\r\n"));
        expect(fd, "welcome ");
        return fd;
}

static void after_the_head_all_bytes_go_to_the_owner(void **state)
{
        for (int i = 0; i < 2; i++) {
                from_worker = i == 1;
                start();
                int fd = upgraded("get");
                expect(fd, "get");
                client_send_text(fd, "get / http/1.1\r\n\r\n");
                expect(fd, "get / http/1.1\r\n\r\n");
                client_send_text(fd, "C");
                expect(fd, "bye");
                client_expect_end(fd);
                WAIT_UNTIL(fixture_connections() == 0);
                assert_int_equal(n_begun, 1);
                assert_int_equal(n_ended, 1);
                close(fd);
                finish(10000);
        }
}

/* Until then these are spread over several threads. */
static void all_upgraded_connections_are_on_one_thread(void **state)
{
        enum { N = 9 };
        int fds[N];

        for (int round = 0; round < 2; round++) {
                from_worker = round == 1;
                start_with(3);
                for (int i = 0; i < N; i++) {
                        fds[i] = upgraded("");
                }
                bool spread = false;
                for (int i = 0; i < N; i++) {
                        spread |= !pthread_equal(read_on[i], begun_on[0]);
                        assert_true(pthread_equal(begun_on[i], begun_on[0]));
                        client_send_text(fds[i], "again");
                        expect(fds[i], "again");
                        close(fds[i]);
                }
                assert_true(spread);
                WAIT_UNTIL(n_ended == N && fixture_connections() == 0);
                finish(10000);
        }
}

static void it_may_be_idle_for_longer_than_an_http_connection(void **state)
{
        start();
        int fd = upgraded("");
        clock_sleep_ms(1500); /* idle_ms is 1,000 */
        client_send_text(fd, "x");
        expect(fd, "x");
        close(fd);
        WAIT_UNTIL(n_ended == 1);
        finish(10000);
}

static void resume(struct http_task *task)
{
        http_upgraded_resume(talk->u);
}

static void a_paused_connection_keeps_data_until_it_is_resumed(void **state)
{
        start();
        int fd = upgraded("aPb");
        expect(fd, "a");
        client_send_text(fd, "c");
        client_wait_taken(fd);
        talk->resume.run = resume;
        http_server_post(f.server, &talk->resume);
        expect(fd, "bc");
        close(fd);
        WAIT_UNTIL(n_ended == 1);
        finish(10000);
}

static void its_owner_is_called_at_the_requested_time(void **state)
{
        start();
        int fd = upgraded("D");
        expect(fd, "due");
        assert_int_equal(n_due, 1);
        close(fd);
        WAIT_UNTIL(n_ended == 1);
        finish(10000);
}

static atomic_size_t unsent;

static void look_at_unsent(struct http_task *task)
{
        atomic_store(&unsent, http_upgraded_unsent(talk->u));
        if (atomic_load(&unsent) <= 1 << 20) {
                http_server_post(f.server, task);
        }
}

static void a_client_that_does_not_read_is_disconnected_by_the_close(void **state)
{
        static struct http_task looking = {.run = look_at_unsent};
        start();
        int fd = upgraded("FFFF");
        http_server_post(f.server, &looking);
        WAIT_UNTIL(atomic_load(&unsent) > 1 << 20);
        http_server_stop(f.server, 20000); /* the owner waits for a second */
        assert_int_equal(n_ended, 1);
        assert_int_equal(n_stopped, 1);
        close(fd);
        workers_free(pool);
}

static void a_stop_waits_for_the_owners(void **state)
{
        int fds[20];

        start();
        for (int i = 0; i < 20; i++) {
                fds[i] = upgraded("");
        }
        close(fds[0]);
        WAIT_UNTIL(n_ended == 1);
        http_server_stop(f.server, 10000);
        assert_int_equal(n_ended, 20);
        assert_int_equal(n_stopped, 19);
        for (int i = 1; i < 20; i++) {
                close(fds[i]);
        }
        workers_free(pool);
}

static void a_client_that_is_gone_before_the_start_is_still_ended(void **state)
{
        from_worker = true;
        start();
        int fd = client_open(&f);
        client_send_text(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        client_reset(fd);
        WAIT_UNTIL(fixture_connections() == 0);
        finish(10000);
        assert_int_equal(n_ended, n_made); /* each once, whether it started or not */
}

enum { TASKS = 1000 };

static struct counted {
        struct http_task task;
        int number;
} counted[TASKS];

static void count(struct http_task *task)
{
        if (((struct counted *)task)->number == n_tasks) {
                n_tasks++;
        }
}

static void tasks_run_in_the_order_of_posting(void **state)
{
        start();
        for (int i = 0; i < TASKS; i++) {
                counted[i] = (struct counted){{.run = count}, i};
                http_server_post(f.server, &counted[i].task);
        }
        WAIT_UNTIL(n_tasks == TASKS);
        finish(10000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(after_the_head_all_bytes_go_to_the_owner),
            cmocka_unit_test(all_upgraded_connections_are_on_one_thread),
            cmocka_unit_test(it_may_be_idle_for_longer_than_an_http_connection),
            cmocka_unit_test(a_paused_connection_keeps_data_until_it_is_resumed),
            cmocka_unit_test(its_owner_is_called_at_the_requested_time),
            cmocka_unit_test(a_client_that_does_not_read_is_disconnected_by_the_close),
            cmocka_unit_test(a_stop_waits_for_the_owners),
            cmocka_unit_test(a_client_that_is_gone_before_the_start_is_still_ended),
            cmocka_unit_test(tasks_run_in_the_order_of_posting),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
