/* Stamps in shared memory: a child plays the other process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shared_stamps.h"

enum { PROCESSES = 3, OURS = 0, THEIRS = 2, COUNTERS = 100, FAR_US = 60000000 };

static int memory_fd;
static struct arena *arena;
static _Alignas(struct stamps) char kept[65536];

/* What the other process says of itself. */
struct report {
        size_t len;
        char packed[8192];
};

static int setup(void **state)
{
        (void)state;
        arena = arena_new(1 << 20);
        memory_fd = shared_stamps_create(PROCESSES);
        return memory_fd >= 0 && shared_stamps_join(dup(memory_fd), OURS) ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        shared_stamps_leave();
        arena_free(arena);
        return close(memory_fd);
}

/* The other process: its answer was read from all its counters; then it changes some, if told to, and exits. */
static void answer(int out, int orders, struct str name)
{
        struct report report = {0};
        char order;

        shared_stamps_leave();
        if (!shared_stamps_join(dup(memory_fd), THEIRS)) {
                _exit(1);
        }
        uint64_t *counters = shared_stamps_new(COUNTERS);
        struct stamp_deadline *deadline = shared_stamps_deadline_new();

        stamp_deadline_set(deadline, clock_boot_us() + FAR_US);
        stamps_begin();
        for (int i = 0; i < COUNTERS; i++) {
                stamps_add(&counters[i], counters[i]);
        }
        stamps_before(deadline);
        struct str packed = shared_stamps_pack(arena, stamps_end(), name);

        report.len = packed.len;
        memcpy(report.packed, packed.ptr != NULL ? packed.ptr : "", packed.len);
        if (write(out, &report, sizeof(report)) != sizeof(report)) {
                _exit(1);
        }
        while (read(orders, &order, 1) == 1) {
                if (order == 'c') {
                        (void)__atomic_add_fetch(&counters[COUNTERS / 2], 1, __ATOMIC_SEQ_CST);
                } else {
                        stamp_deadline_set(deadline, clock_boot_us());
                }
                (void)!write(out, "", 1);
        }
        _exit(0);
}

struct other {
        pid_t pid;
        int in, orders;
        struct report report;
};

static struct other start_other(struct str name)
{
        struct other other = {0};
        int out[2], orders[2];

        assert_int_equal(0, pipe(out));
        assert_int_equal(0, pipe(orders));
        other.pid = fork();
        if (other.pid == 0) {
                close(orders[1]);
                answer(out[1], orders[0], name);
        }
        close(out[1]);
        close(orders[0]);
        other.in = out[0];
        other.orders = orders[1];
        assert_int_equal(sizeof(other.report), read(other.in, &other.report, sizeof(other.report)));
        return other;
}

static void order(const struct other *other, const char *what)
{
        char done;

        assert_int_equal(1, write(other->orders, what, 1));
        assert_int_equal(1, read(other->in, &done, 1));
}

static void end_other(const struct other *other)
{
        int status;

        close(other->orders);
        assert_int_equal(other->pid, waitpid(other->pid, &status, 0));
        assert_int_equal(0, status);
        close(other->in);
}

/* Of a response that was read from the other process. */
static const struct stamps *record(const struct other *other)
{
        stamps_begin();
        assert_true(shared_stamps_add((struct str){other->report.packed, other->report.len}));
        const struct stamps *stamps = stamps_end();

        assert_non_null(stamps);
        assert_true(stamps_bytes(stamps) <= sizeof(kept));
        memcpy(kept, stamps, stamps_bytes(stamps));
        return (const struct stamps *)(const void *)kept;
}

static struct str our_memory(void)
{
        return str_of(shared_stamps_name());
}

static void a_record_of_another_process_ends_with_its_next_change(void **state)
{
        (void)state;
        struct other other = start_other(our_memory());
        const struct stamps *stamps = record(&other);

        assert_int_equal(COUNTERS + 1, stamps->n);
        assert_true(stamps_hold(stamps, 0));
        order(&other, "c");
        assert_false(stamps_hold(stamps, 0));
        end_other(&other);
}

static void it_ends_at_the_deadline_of_the_other_process(void **state)
{
        (void)state;
        struct other other = start_other(our_memory());
        const struct stamps *stamps = record(&other);

        assert_true(stamps_hold(stamps, 0));
        order(&other, "d");
        assert_false(stamps_hold(stamps, 0));
        end_other(&other);
}

static void it_outlives_the_other_process_until_its_successor_starts(void **state)
{
        (void)state;
        struct other other = start_other(our_memory());
        const struct stamps *stamps = record(&other);

        end_other(&other);
        assert_true(stamps_hold(stamps, 0));
        other = start_other(our_memory());
        assert_false(stamps_hold(stamps, 0));
        assert_true(stamps_hold(record(&other), 0));
        end_other(&other);
}

static void nothing_is_said_to_a_caller_with_other_memory(void **state)
{
        (void)state;
        struct other other = start_other(STR("0123456789abcdef"));

        assert_int_equal(0, other.report.len);
        end_other(&other);
}

static void what_is_private_cannot_be_said(void **state)
{
        (void)state;
        static uint64_t own;

        stamps_begin();
        stamps_add(&own, own);
        assert_null(shared_stamps_pack(arena, stamps_end(), our_memory()).ptr);
}

static void without_room_counters_are_private(void **state)
{
        (void)state;
        uint64_t *too_many = shared_stamps_new((size_t)8 << 20), *some = shared_stamps_new(10);

        assert_non_null(too_many);
        stamps_begin();
        stamps_add(too_many, too_many[0]);
        assert_null(shared_stamps_pack(arena, stamps_end(), our_memory()).ptr);
        stamps_begin();
        stamps_add(some, some[0]);
        assert_non_null(shared_stamps_pack(arena, stamps_end(), our_memory()).ptr);
        shared_stamps_free(too_many);
        shared_stamps_free(some);
}

static void too_much_cannot_be_said(void **state)
{
        (void)state;
        uint64_t *counters = shared_stamps_new(2);

        stamps_begin();
        for (int i = 0; i < STAMPS_MAX; i++) {
                stamps_add(&counters[i % 2], UINT64_MAX);
        }
        assert_null(shared_stamps_pack(arena, stamps_end(), our_memory()).ptr);
}

static void damaged_bytes_are_refused_or_name_places_in_the_memory(void **state)
{
        (void)state;
        struct other other = start_other(our_memory());
        char bytes[sizeof(other.report.packed)];

        for (int i = 0; i < 20000; i++) {
                size_t len = random_below((uint32_t)other.report.len + 1);

                memcpy(bytes, other.report.packed, len);
                for (int k = 0; k < 3 && len > 0; k++) {
                        bytes[random_below((uint32_t)len)] = (char)random_below(256);
                }
                stamps_begin();
                (void)shared_stamps_add((struct str){bytes, len});
                const struct stamps *stamps = stamps_end();
                if (stamps != NULL) {
                        (void)stamps_hold(stamps, 0); /* reads every place */
                }
        }
        end_other(&other);
}

static void memory_of_the_wrong_size_is_refused(void **state)
{
        (void)state;
        shared_stamps_leave();
        assert_false(shared_stamps_join(memory_fd, PROCESSES));
        assert_null(shared_stamps_name());
        uint64_t *counters = shared_stamps_new(3);

        assert_int_equal(1, counters[2]);
        shared_stamps_free(counters);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_record_of_another_process_ends_with_its_next_change),
            TEST(it_ends_at_the_deadline_of_the_other_process),
            TEST(it_outlives_the_other_process_until_its_successor_starts),
            TEST(nothing_is_said_to_a_caller_with_other_memory),
            TEST(what_is_private_cannot_be_said),
            TEST(without_room_counters_are_private),
            TEST(too_much_cannot_be_said),
            TEST(damaged_bytes_are_refused_or_name_places_in_the_memory),
            TEST(memory_of_the_wrong_size_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
