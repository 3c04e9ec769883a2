/* The memory of the embedded servers depends on the machine, and settings override it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "cmd/up/embedded_memory.h"

#define MIB (INT64_C(1) << 20)

static void check(int64_t machine, int64_t postgresql, int64_t redis)
{
        struct embedded_memory m = embedded_memory_of(&(struct settings){0}, machine * MIB);

        assert_int_equal(m.postgresql_bytes, postgresql * MIB);
        assert_int_equal(m.redis_bytes, redis * MIB);
}

static void servers_use_a_share_of_the_machine_within_limits(void **state)
{
        check(128, 32, 64);
        check(1024, 128, 64);
        check(4096, 512, 256);
        check(65536, 2048, 1024);
}

static void settings_override_it(void **state)
{
        struct settings settings = {.embedded_postgresql_bytes = 48 * MIB, .embedded_redis_bytes = 32 * MIB};
        struct embedded_memory m = embedded_memory_of(&settings, 4096 * MIB);

        assert_int_equal(m.postgresql_bytes, 48 * MIB);
        assert_int_equal(m.redis_bytes, 32 * MIB);
}

static void this_machine_has_memory(void **state)
{
        assert_true(embedded_memory_choose(&(struct settings){0}).machine_bytes >= 64 * MIB);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(servers_use_a_share_of_the_machine_within_limits),
            cmocka_unit_test(settings_override_it),
            cmocka_unit_test(this_machine_has_memory),
        };

        return cmocka_run_group_tests_name("embedded_memory", tests, NULL, NULL);
}
