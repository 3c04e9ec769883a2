/* Random bytes: never repeated, in any thread or child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/clock.h"

enum { DRAWS = 10000, THREADS = 4 };

static int compare(const void *a, const void *b)
{
        uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

        return (first > second) - (first < second);
}

static void assert_all_different(uint64_t *draws, size_t n)
{
        qsort(draws, n, sizeof(*draws), compare);
        for (size_t i = 1; i < n; i++) {
                assert_true(draws[i] != draws[i - 1]);
        }
}

static void *draw_many(void *draws)
{
        for (size_t i = 0; i < DRAWS; i++) {
                random_bytes((uint64_t *)draws + i, sizeof(uint64_t));
        }
        return NULL;
}

static void threads_get_different_bytes(void **state)
{
        static uint64_t draws[THREADS * DRAWS];
        pthread_t threads[THREADS];

        for (size_t i = 0; i < THREADS; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, draw_many, draws + i * DRAWS), 0);
        }
        for (size_t i = 0; i < THREADS; i++) {
                pthread_join(threads[i], NULL);
        }
        assert_all_different(draws, THREADS * DRAWS);
}

/* A child starts with its parent's memory. */
static void a_child_gets_different_bytes_than_its_parent(void **state)
{
        uint64_t draws[2 * 64];
        int ends[2];

        random_bytes(draws, sizeof(draws[0])); /* the parent has a state to share */
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
                for (size_t i = 0; i < 64; i++) {
                        random_bytes(&draws[i], sizeof(draws[i]));
                }
                _exit(write(ends[1], draws, 64 * sizeof(draws[0])) == 64 * sizeof(draws[0]) ? 0 : 1);
        }
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(read(ends[0], draws, 64 * sizeof(draws[0])), 64 * sizeof(draws[0]));
        for (size_t i = 64; i < 128; i++) {
                random_bytes(&draws[i], sizeof(draws[i]));
        }
        assert_all_different(draws, 128);
        close(ends[0]);
        close(ends[1]);
}

/* Each byte of each length is filled, and none after it. */
static void exactly_the_requested_bytes_are_filled(void **state)
{
        for (size_t len = 0; len <= 100; len++) {
                unsigned char all_or[101] = {0}, bytes[101];

                for (int i = 0; i < 20; i++) {
                        memset(bytes, 0, sizeof(bytes));
                        random_bytes(bytes, len);
                        for (size_t at = 0; at < sizeof(bytes); at++) {
                                all_or[at] |= bytes[at];
                        }
                }
                for (size_t at = 0; at < sizeof(bytes); at++) {
                        assert_true((all_or[at] != 0) == (at < len));
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(threads_get_different_bytes),
            cmocka_unit_test(a_child_gets_different_bytes_than_its_parent),
            cmocka_unit_test(exactly_the_requested_bytes_are_filled),
        };

        return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
