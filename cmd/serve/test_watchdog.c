/* The watchdog: a port that responds, one that listens and does not respond, one that is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/test_loopback.h"
#include "cmd/serve/watchdog.h"

static atomic_int n_deaf;
static atomic_int n_answered;
static atomic_bool over;

static void count_deaf(const char *name)
{
        assert_string_equal(name, "test");
        atomic_fetch_add(&n_deaf, 1);
}

static struct watchdog *watch(int port)
{
        return watchdog_new(&(struct watchdog_options){.ports = {{"test", "127.0.0.1", port, false}},
                                                       .every_ms = 10,
                                                       .patience_ms = 100,
                                                       .failures = 3,
                                                       .deaf = count_deaf});
}

static void wait_for(atomic_int *counter, int n)
{
        for (int i = 0; atomic_load(counter) < n; i++) {
                assert_true(i < 2000);
                clock_sleep_ms(10);
        }
}

static void *answer_main(void *arg)
{
        int listener = *(int *)arg;

        while (!atomic_load(&over)) {
                int fd = accept(listener, NULL, NULL);
                char bytes[200];

                if (fd >= 0) {
                        if (recv(fd, bytes, sizeof(bytes), 0) > 0 && send(fd, "HTTP/1.1 503", 12, MSG_NOSIGNAL) == 12) {
                                atomic_fetch_add(&n_answered, 1);
                        }
                        close(fd);
                }
        }
        return NULL;
}

static void a_port_that_responds_is_fine_whatever_it_sends(void **state)
{
        int port, listener = test_listen(&port);
        pthread_t thread;

        atomic_store(&n_deaf, 0);
        assert_int_equal(pthread_create(&thread, NULL, answer_main, &listener), 0);
        struct watchdog *w = watch(port);
        wait_for(&n_answered, 10);
        watchdog_free(w);
        atomic_store(&over, true);
        shutdown(listener, SHUT_RDWR);
        pthread_join(thread, NULL);
        close(listener);
        assert_int_equal(atomic_load(&n_deaf), 0);
}

static void a_port_that_listens_and_does_not_respond_is_detected(void **state)
{
        int port, listener = test_listen(&port);

        atomic_store(&n_deaf, 0);
        struct watchdog *w = watch(port);
        wait_for(&n_deaf, 1);
        watchdog_free(w);
        close(listener);
}

static void a_port_without_a_listener_is_detected(void **state)
{
        int port;

        close(test_listen(&port));
        atomic_store(&n_deaf, 0);
        struct watchdog *w = watch(port);
        wait_for(&n_deaf, 1);
        watchdog_free(w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_port_that_responds_is_fine_whatever_it_sends),
            cmocka_unit_test(a_port_that_listens_and_does_not_respond_is_detected),
            cmocka_unit_test(a_port_without_a_listener_is_detected),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
