/* How idle slots of a processing queue share polling while no signals arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "services/media/process.h"

static void idle_slots_take_turns(void **state)
{
        int64_t first = wake_poll_ms(false, 3, 30000), second = wake_poll_ms(false, 3, 30000);
        int64_t third = wake_poll_ms(false, 3, 30000);

        assert_int_equal(first, 1000);
        assert_in_range(second, first + 1, 2000); /* less by the time since the first asked */
        assert_in_range(third, second + 1, 3000);
}

static void turns_that_nobody_used_delay_no_one_beyond_one_round(void **state)
{
        for (int i = 0; i < 100; i++) {
                assert_in_range(wake_poll_ms(true, 1, 30000), 1, 1000);
        }
}

static void a_slot_with_earlier_work_does_not_wait_for_its_turn(void **state)
{
        assert_int_equal(wake_poll_ms(true, 1, 5), 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(idle_slots_take_turns),
            cmocka_unit_test(turns_that_nobody_used_delay_no_one_beyond_one_round),
            cmocka_unit_test(a_slot_with_earlier_work_does_not_wait_for_its_turn),
        };

        return cmocka_run_group_tests_name("wake", tests, NULL, NULL);
}
