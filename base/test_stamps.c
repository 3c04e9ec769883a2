/* Records of what a response was read from: they hold until something changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/no_wait.h"
#include "base/stamps.h"

static uint64_t note, author;
static struct stamp_deadline owned;

static int64_t now_us;

static int64_t tell_time(void)
{
        return now_us;
}

static const struct stamps *record_all(void)
{
        stamps_begin();
        stamps_add(&note, note);
        stamps_add(&author, author);
        stamps_before(&owned);
        stamps_until(5000);
        stamps_until(9000);
        return stamps_end();
}

static int start(void **state)
{
        (void)state;
        note = 7;
        author = 1;
        owned = (struct stamp_deadline){.until_us = 100};
        now_us = 99;
        clock_set_source(&(struct clock_source){.boot_us = tell_time});
        return 0;
}

static void a_record_holds_while_nothing_changes(void **state)
{
        (void)state;
        const struct stamps *stamps = record_all();

        assert_non_null(stamps);
        assert_int_equal(2, stamps->n);
        assert_true(stamps_hold(stamps, 4999));
}

static void a_change_of_any_stamp_ends_it(void **state)
{
        (void)state;
        const struct stamps *stamps = record_all();

        author++;
        assert_false(stamps_hold(stamps, 0));
        author--;
        note++;
        assert_false(stamps_hold(stamps, 0));
}

static void a_deadline_counts_wherever_it_is_now(void **state)
{
        (void)state;
        const struct stamps *stamps = record_all();

        now_us = 100;
        assert_false(stamps_hold(stamps, 0));
        stamp_deadline_set(&owned, 101);
        assert_true(stamps_hold(stamps, 0));
        stamp_deadline_set(&owned, 0);
        assert_false(stamps_hold(stamps, 0));
}

static void the_owner_of_a_deadline_learns_that_somebody_relies_on_it(void **state)
{
        (void)state;
        const struct stamps *stamps = record_all();

        assert_false(stamp_deadline_was_asked(&owned));
        assert_true(stamps_hold(stamps, 0));
        assert_true(stamp_deadline_was_asked(&owned));
        assert_false(stamp_deadline_was_asked(&owned));
        note++;
        assert_false(stamps_hold(stamps, 0));
        assert_false(stamp_deadline_was_asked(&owned)); /* nobody does: its places may have another owner by now */
}

static void it_ends_at_the_earliest_time(void **state)
{
        (void)state;
        assert_false(stamps_hold(record_all(), 5000));
}

static void the_same_deadline_counts_once(void **state)
{
        (void)state;
        stamps_begin();
        for (int i = 0; i < 100; i++) {
                stamps_before(&owned);
        }
        const struct stamps *stamps = stamps_end();

        assert_non_null(stamps);
        assert_int_equal(1, stamps->n_deadlines);
}

static void a_stamp_twice_in_a_row_counts_once(void **state)
{
        (void)state;
        stamps_begin();
        stamps_add(&note, note);
        stamps_add(&note, note);
        const struct stamps *stamps = stamps_end();

        assert_int_equal(1, stamps->n);
        note++;
        assert_false(stamps_hold(stamps, 0));
        stamps_begin();
        stamps_add(&note, note - 1);
        stamps_add(&note, note); /* it has changed in between */
        assert_false(stamps_hold(stamps_end(), 0));
}

static void too_much_is_not_recorded(void **state)
{
        (void)state;
        static struct stamp_deadline all[STAMP_DEADLINES_MAX + 1];

        stamps_begin();
        for (int i = 0; i <= STAMPS_MAX; i++) {
                stamps_add(i % 2 == 0 ? &note : &author, 0);
        }
        assert_null(stamps_end());
        stamps_begin();
        for (int i = 0; i <= STAMP_DEADLINES_MAX; i++) {
                stamps_before(&all[i]);
        }
        assert_null(stamps_end());
}

static void what_blocks_spoils_the_record(void **state)
{
        (void)state;
        stamps_begin();
        assert_false(no_wait_refuses()); /* this thread may block, and is about to */
        assert_null(stamps_end());
        stamps_begin();
        no_wait_begin();
        assert_true(no_wait_refuses());
        assert_true(no_wait_end());
        assert_null(stamps_end());
        assert_non_null(record_all());
}

static void without_a_record_nothing_is_recorded(void **state)
{
        (void)state;
        (void)record_all();
        stamps_add(&note, note);
        stamps_before(&owned);
        stamps_until(1);
        assert_null(stamps_end());
}

static void a_copy_is_worth_the_same(void **state)
{
        (void)state;
        const struct stamps *stamps = record_all();
        _Alignas(struct stamps) char copy[1024];

        assert_true(stamps_bytes(stamps) <= sizeof(copy));
        memcpy(copy, stamps, stamps_bytes(stamps));
        stamps_begin();
        (void)stamps_end();
        assert_true(stamps_hold((const struct stamps *)(const void *)copy, 0));
        note++;
        assert_false(stamps_hold((const struct stamps *)(const void *)copy, 0));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(a_record_holds_while_nothing_changes, start),
            cmocka_unit_test_setup(a_change_of_any_stamp_ends_it, start),
            cmocka_unit_test_setup(a_deadline_counts_wherever_it_is_now, start),
            cmocka_unit_test_setup(the_owner_of_a_deadline_learns_that_somebody_relies_on_it, start),
            cmocka_unit_test_setup(it_ends_at_the_earliest_time, start),
            cmocka_unit_test_setup(the_same_deadline_counts_once, start),
            cmocka_unit_test_setup(a_stamp_twice_in_a_row_counts_once, start),
            cmocka_unit_test_setup(too_much_is_not_recorded, start),
            cmocka_unit_test_setup(what_blocks_spoils_the_record, start),
            cmocka_unit_test_setup(without_a_record_nothing_is_recorded, start),
            cmocka_unit_test_setup(a_copy_is_worth_the_same, start),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
