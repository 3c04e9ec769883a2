/* Records of what a response was read from: they hold until something changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/no_wait.h"
#include "base/stamps.h"

static uint64_t note, author;
static bool owned;

static bool is_owned(const void *of)
{
        return *(const bool *)of;
}

static const struct stamps *record_all(void)
{
        stamps_begin();
        stamps_add(&note, note);
        stamps_add(&author, author);
        stamps_require(is_owned, &owned);
        stamps_until(5000);
        stamps_until(9000);
        return stamps_end();
}

static int start(void **state)
{
        (void)state;
        note = 7;
        author = 1;
        owned = true;
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

static void what_is_required_is_asked_each_time(void **state)
{
        (void)state;
        const struct stamps *stamps = record_all();

        owned = false;
        assert_false(stamps_hold(stamps, 0));
        owned = true;
        assert_true(stamps_hold(stamps, 0));
}

static void it_ends_at_the_earliest_time(void **state)
{
        (void)state;
        assert_false(stamps_hold(record_all(), 5000));
}

static void the_same_requirement_counts_once(void **state)
{
        (void)state;
        stamps_begin();
        for (int i = 0; i < 100; i++) {
                stamps_require(is_owned, &owned);
        }
        const struct stamps *stamps = stamps_end();

        assert_non_null(stamps);
        assert_int_equal(1, stamps->n_checks);
}

static void too_much_is_not_recorded(void **state)
{
        (void)state;
        static const bool all[STAMP_CHECKS_MAX + 1];

        stamps_begin();
        for (int i = 0; i <= STAMPS_MAX; i++) {
                stamps_add(&note, note);
        }
        assert_null(stamps_end());
        stamps_begin();
        for (int i = 0; i <= STAMP_CHECKS_MAX; i++) {
                stamps_require(is_owned, &all[i]);
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
        stamps_require(is_owned, &owned);
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
            cmocka_unit_test_setup(what_is_required_is_asked_each_time, start),
            cmocka_unit_test_setup(it_ends_at_the_earliest_time, start),
            cmocka_unit_test_setup(the_same_requirement_counts_once, start),
            cmocka_unit_test_setup(too_much_is_not_recorded, start),
            cmocka_unit_test_setup(what_blocks_spoils_the_record, start),
            cmocka_unit_test_setup(without_a_record_nothing_is_recorded, start),
            cmocka_unit_test_setup(a_copy_is_worth_the_same, start),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
