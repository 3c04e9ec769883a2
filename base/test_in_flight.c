/* IDs that a running write may still commit are never reported as settled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/in_flight.h"

static const struct service notes = {.name = "note"}, follows = {.name = "follow"};

/* Whether a list is settled up to a little beyond this id. */
static bool is_settled(const struct service *service, const char *id)
{
        char settled[UUID_SIZE];
        return strcmp(id, in_flight_settled(service, settled)) < 0;
}

static void without_writes_all_assigned_ids_are_settled(void **state)
{
        char id[UUID_SIZE];
        assert_true(is_settled(&notes, uuid_new(id)));
}

static void the_id_of_a_running_write_and_later_ones_are_not_settled(void **state)
{
        struct in_flight write;
        char before[UUID_SIZE], drawn[UUID_SIZE], later[UUID_SIZE];
        (void)uuid_new(before);
        in_flight_begin(&write, &notes);
        (void)uuid_new(drawn);
        (void)uuid_new(later);
        assert_true(is_settled(&notes, before));
        assert_false(is_settled(&notes, drawn));
        assert_false(is_settled(&notes, later));
        in_flight_end(&write);
        assert_true(is_settled(&notes, drawn));
        assert_true(is_settled(&notes, later));
}

static void the_oldest_of_several_counts_whichever_ends_first(void **state)
{
        struct in_flight writes[3];
        char ids[3][UUID_SIZE];
        for (size_t i = 0; i < 3; i++) {
                in_flight_begin(&writes[i], &notes);
                (void)uuid_new(ids[i]);
        }
        in_flight_end(&writes[1]);
        assert_false(is_settled(&notes, ids[0]));
        in_flight_end(&writes[0]);
        assert_true(is_settled(&notes, ids[0]));
        assert_true(is_settled(&notes, ids[1]));
        assert_false(is_settled(&notes, ids[2]));
        in_flight_end(&writes[2]);
        assert_true(is_settled(&notes, ids[2]));
}

static void writes_of_another_service_do_not_count(void **state)
{
        struct in_flight write;
        char id[UUID_SIZE];
        in_flight_begin(&write, &follows);
        (void)uuid_new(id);
        assert_true(is_settled(&notes, id));
        assert_false(is_settled(&follows, id));
        in_flight_end(&write);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(without_writes_all_assigned_ids_are_settled),
            cmocka_unit_test(the_id_of_a_running_write_and_later_ones_are_not_settled),
            cmocka_unit_test(the_oldest_of_several_counts_whichever_ends_first),
            cmocka_unit_test(writes_of_another_service_do_not_count),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
