/* Validation: each rule, met and violated, and its error text. */
#include "rpc/rpc.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/formats.h"
#include "tools/testdata/example.rpc.h"

static struct rpc_call *c;

static int setup(void **state)
{
        (void)state;
        c = rpc_call_new_background(NULL, 60000);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        rpc_call_free(c);
        return 0;
}

static Example__Sample good(void)
{
        Example__Sample sample = EXAMPLE__SAMPLE__INIT;
        sample.name = "fine";
        return sample;
}

static void expect_ok(Example__Sample *sample)
{
        c->problem = (struct rpc_problem){0};
        sn_status status = rpc_validate(c, &example__sample__message, &sample->base);
        if (status != SN_OK) {
                print_error("%s %s\n", c->problem.field, c->problem.detail);
        }
        assert_int_equal(status, SN_OK);
}

static void expect_refused(Example__Sample *sample, const char *field, const char *detail)
{
        c->problem = (struct rpc_problem){0};
        assert_int_equal(rpc_validate(c, &example__sample__message, &sample->base), SN_INVALID_ARGUMENT);
        assert_string_equal(c->problem.code, "validation_failed");
        assert_string_equal(c->problem.field, field);
        assert_string_equal(c->problem.detail, detail);
}

static void required_text_must_be_present(void **state)
{
        (void)state;
        Example__Sample sample = good();
        expect_ok(&sample);
        sample.name = "";
        expect_refused(&sample, "name", "is required");
        sample.name = NULL;
        expect_refused(&sample, "name", "is required");
}

static void lengths_count_code_points(void **state)
{
        (void)state;
        Example__Sample sample = good();
        sample.name = "éééééééééé"; /* ten, in twenty bytes */
        expect_ok(&sample);
        sample.name = "éééééééééée";
        expect_refused(&sample, "name", "must be at most 10 characters, has 11");
        sample.name = "é";
        expect_refused(&sample, "name", "must be at least 2 characters, has 1");
}

static void a_pattern_matches_the_whole_text(void **state)
{
        (void)state;
        Example__Sample sample = good();
        sample.name = "fine1";
        expect_refused(&sample, "name", "must match the pattern ^([a-zé]+)$");
        sample.name = "fine\n";
        expect_refused(&sample, "name", "must match the pattern ^([a-zé]+)$");
}

static void uuids_are_checked_and_lowercased_in_place(void **state)
{
        (void)state;
        Example__Sample sample = good();
        char id[] = "01890A5D-AC96-774B-BCCE-B302099A8057", other[] = "01890A5D-AC96-774B-BCCE-B302099A8057";
        char *ids[] = {other, ""};
        sample.id = id;
        sample.n_ids = 1, sample.ids = ids;
        expect_ok(&sample);
        assert_string_equal(id, "01890a5d-ac96-774b-bcce-b302099a8057");
        assert_string_equal(other, "01890a5d-ac96-774b-bcce-b302099a8057");
        sample.n_ids = 2;
        expect_refused(&sample, "ids[1]", "must be a UUID, like 01890a5d-ac96-774b-bcce-b302099a8057");
        sample.n_ids = 0;
        sample.id = "01890a5d";
        expect_refused(&sample, "id", "must be a UUID, like 01890a5d-ac96-774b-bcce-b302099a8057");
}

static void email_addresses_are_checked(void **state)
{
        (void)state;
        static const char *const bad[] = {"ada",
                                          "ada@",
                                          "@example.org",
                                          "ada@example",
                                          "ada@exa mple.org",
                                          "ada@-a.org",
                                          "ada@a-.org",
                                          "ada@a..org",
                                          "ada@.org",
                                          "ada@example.org.",
                                          "a da@example.org",
                                          "ada@b@example.org",
                                          "ada@exämple .org",
                                          "ada@exämple.org/",
                                          "ädä@example.org",
                                          "ada@example.org\n",
                                          "ada,b@example.org",
                                          "ada@127.0.0.1"};
        static const char *const fine[] = {"ada@example.org", "a.b+c@mail.example.org", "x@1.io",
                                           "a..b.@c.example", "ada@exämple.org",        "ada@例え。テスト"};
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                assert_false(format_is_email(bad[i], strlen(bad[i])));
        }
        for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
                assert_true(format_is_email(fine[i], strlen(fine[i])));
        }
        Example__Sample sample = good();
        sample.email = "nobody";
        expect_refused(&sample, "email", "must be an e-mail address, like ada@example.org");
}

static void cursors_are_base64url(void **state)
{
        (void)state;
        Example__Sample sample = good();
        sample.cursor = "AZaz09-_";
        expect_ok(&sample);
        sample.cursor = "a+b=";
        expect_refused(&sample, "cursor", "must be a cursor from an earlier response");
}

static void ranges_of_numbers_are_checked(void **state)
{
        (void)state;
        Example__Sample sample = good();
        sample.limit = 100, sample.balance = INT64_MIN;
        expect_ok(&sample);
        sample.limit = UINT32_MAX;
        expect_refused(&sample, "limit", "must be between 0 and 100, is 4294967295");
        sample.limit = 0, sample.balance = 6;
        expect_refused(&sample, "balance", "must be between -9223372036854775808 and 5, is 6");
        sample.balance = 0, sample.count = 0; /* from 1: 0 means not given */
        expect_ok(&sample);
        sample.count = 8;
        expect_refused(&sample, "count", "must be between 1 and 7, is 8");
        sample.count = 0, sample.big = UINT64_MAX;
        assert_int_equal(rpc_validate(c, &example__sample__message, &sample.base), SN_INVALID_ARGUMENT);
        assert_string_equal(c->problem.field, "big");
}

static void limits_of_lists_and_of_their_elements_are_checked(void **state)
{
        (void)state;
        Example__Sample sample = good();
        int32_t numbers[] = {1, 9, 10, 2, 3};
        sample.numbers = numbers, sample.n_numbers = 2;
        expect_ok(&sample);
        sample.n_numbers = 3;
        expect_refused(&sample, "numbers[2]", "must be between 1 and 9, is 10");
        sample.n_numbers = 5;
        expect_refused(&sample, "numbers", "must have at most 4 items, has 5");
}

static void lengths_of_bytes_are_checked(void **state)
{
        (void)state;
        Example__Sample sample = good();
        uint8_t five[5] = {0};
        sample.digest = (ProtobufCBinaryData){4, five};
        expect_ok(&sample);
        sample.digest.len = 5;
        expect_refused(&sample, "digest", "must be at most 4 bytes, has 5");
        sample.digest.len = 1;
        expect_refused(&sample, "digest", "must be at least 2 bytes, has 1");
}

static void errors_for_unknown_enum_values_list_the_known_ones(void **state)
{
        (void)state;
        Example__Sample sample = good();
        sample.colour = (Example__Colour)5;
        expect_ok(&sample);
        sample.colour = (Example__Colour)4;
        expect_refused(&sample, "colour", "must be one of: red, sky_blue");
}

static void nested_messages_are_checked_and_named(void **state)
{
        (void)state;
        Example__Sample sample = good();
        Example__Sample__InnerPart fine = EXAMPLE__SAMPLE__INNER_PART__INIT, bad = EXAMPLE__SAMPLE__INNER_PART__INIT,
                                   *parts[] = {&fine, &bad};
        fine.label = "a", bad.label = "abcdef";
        sample.part = &fine, sample.parts = parts, sample.n_parts = 1;
        expect_ok(&sample);
        sample.n_parts = 2;
        expect_refused(&sample, "parts[1].label", "must be at most 5 characters, has 6");
        sample.n_parts = 0, sample.part = &bad, bad.label = "";
        expect_refused(&sample, "part.label", "is required");
}

static void members_of_a_oneof_are_checked_only_if_present(void **state)
{
        (void)state;
        Example__Sample sample = good();
        sample.left_side = "far too long for it"; /* not chosen */
        expect_ok(&sample);
        sample.choice_case = EXAMPLE__SAMPLE__CHOICE_LEFT_SIDE;
        expect_refused(&sample, "left_side", "must be at most 8 characters, has 19");
        sample.left_side = "";
        expect_refused(&sample, "left_side", "must be at least 2 characters, has 0");
        sample.choice_case = EXAMPLE__SAMPLE__CHOICE_RIGHT, sample.right = NULL;
        expect_refused(&sample, "right", "is required");
}

static void times_are_in_the_years_1_to_9999_and_doubles_are_finite(void **state)
{
        (void)state;
        Example__Sample sample = good();
        Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        sample.created_at = &time;
        time.seconds = 253402300799, time.nanos = 999999999;
        expect_ok(&sample);
        time.nanos = 1000000000;
        expect_refused(&sample, "created_at", "must be a time in the years 1 to 9999");
        time.nanos = 0, time.seconds = 253402300800;
        expect_refused(&sample, "created_at", "must be a time in the years 1 to 9999");
        time.seconds = 0, sample.ratio = (double)NAN;
        expect_refused(&sample, "ratio", "must be a finite number");
}

static void *match_often(void *pattern)
{
        for (int i = 0; i < 1000; i++) {
                if (!format_matches(pattern, "aaa") || format_matches(pattern, "aab")) {
                        return pattern;
                }
        }
        return NULL;
}

static void a_pattern_is_compiled_once_for_all_threads(void **state)
{
        (void)state;
        static char pattern[] = "^a+$";
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, match_often, pattern), 0);
        }
        for (int i = 0; i < 4; i++) {
                void *failed = NULL;
                pthread_join(threads[i], &failed);
                assert_null(failed);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(required_text_must_be_present),
            cmocka_unit_test(lengths_count_code_points),
            cmocka_unit_test(a_pattern_matches_the_whole_text),
            cmocka_unit_test(uuids_are_checked_and_lowercased_in_place),
            cmocka_unit_test(email_addresses_are_checked),
            cmocka_unit_test(cursors_are_base64url),
            cmocka_unit_test(ranges_of_numbers_are_checked),
            cmocka_unit_test(limits_of_lists_and_of_their_elements_are_checked),
            cmocka_unit_test(lengths_of_bytes_are_checked),
            cmocka_unit_test(errors_for_unknown_enum_values_list_the_known_ones),
            cmocka_unit_test(nested_messages_are_checked_and_named),
            cmocka_unit_test(members_of_a_oneof_are_checked_only_if_present),
            cmocka_unit_test(times_are_in_the_years_1_to_9999_and_doubles_are_finite),
            cmocka_unit_test(a_pattern_is_compiled_once_for_all_threads),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
