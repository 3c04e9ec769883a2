/* The scan of untrusted bytes, valid and invalid. */
#include "rpc/rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static sn_status scan(const uint8_t *bytes, size_t len)
{
        c->problem = (struct rpc_problem){0};
        return rpc_scan(c, &example__sample__message, bytes, len);
}

static void expect_malformed(const uint8_t *bytes, size_t len)
{
        assert_int_equal(scan(bytes, len), SN_INVALID_ARGUMENT);
        assert_string_equal(c->problem.code, "malformed_message");
}

static void expect_field(const char *field, const char *detail, const uint8_t *bytes, size_t len)
{
        assert_int_equal(scan(bytes, len), SN_INVALID_ARGUMENT);
        assert_non_null(c->problem.field);
        assert_string_equal(c->problem.field, field);
        assert_string_equal(c->problem.detail, detail);
}

static void a_packed_message_is_accepted_and_unpacks_to_the_same(void **state)
{
        (void)state;
        Example__Sample__InnerPart part = EXAMPLE__SAMPLE__INNER_PART__INIT, *parts[] = {&part, &part};
        Example__Sample in = EXAMPLE__SAMPLE__INIT;
        char *ids[] = {"a", "b", "c"};
        int32_t numbers[] = {1, -1, 300};
        uint32_t fixed[] = {7, 8};
        part.label = "part";
        in.name = "grüße";
        in.n_ids = 3, in.ids = ids;
        in.n_parts = 2, in.parts = parts;
        in.n_numbers = 3, in.numbers = numbers;
        in.n_fixed = 2, in.fixed = fixed;
        in.part = &part;
        in.balance = -5;
        in.ratio = 0.5;
        in.bio_presence_case = EXAMPLE__SAMPLE__BIO_PRESENCE_BIO;
        in.bio = "";
        in.choice_case = EXAMPLE__SAMPLE__CHOICE_RIGHT;
        in.right = &part;

        size_t len, again_len;
        uint8_t *bytes = rpc_pack(c->arena, &in.base, &len);
        ProtobufCMessage *out = NULL;
        assert_int_equal(rpc_unpack(c, &example__sample__message, bytes, len, &out), SN_OK);
        uint8_t *again = rpc_pack(c->arena, out, &again_len);
        assert_int_equal(len, again_len);
        assert_memory_equal(bytes, again, len);
        assert_string_equal(((Example__Sample *)out)->name, "grüße");
        assert_int_equal(((Example__Sample *)out)->numbers[1], -1);
}

static void an_empty_message_is_accepted(void **state)
{
        (void)state;
        assert_int_equal(rpc_scan(c, &example__sample__message, NULL, 0), SN_OK);
}

static void every_prefix_of_a_message_is_rejected_or_a_shorter_message(void **state)
{
        (void)state;
        static const uint8_t whole[] = {0x0a, 3,   'a', 'b',  'c',  0x28, 0x96, 0x01, 0x5a, 7, 0x0a,
                                        2,    'h', 'i', 0x10, 0x81, 0x01, 0x62, 2,    1,    2};
        for (size_t len = 0; len <= sizeof(whole); len++) {
                uint8_t *exact = malloc(len + 1); /* the heap's guard detects reading past the end */
                uint8_t *end = exact + 1;
                memcpy(end, whole, len);
                bool complete = len == 0 || len == 5 || len == 8 || len == 17 || len == sizeof(whole);
                assert_int_equal(scan(end, len), complete ? SN_OK : SN_INVALID_ARGUMENT);
                free(exact);
        }
}

static void malformed_tags_and_lengths_are_rejected(void **state)
{
        (void)state;
        expect_malformed(BYTES(0x00, 0x01));                               /* field 0 */
        expect_malformed(BYTES(0x80));                                     /* truncated tag */
        expect_malformed(BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0x01));       /* tag of six bytes */
        expect_malformed(BYTES(0x88, 0x80, 0x80, 0x80, 0x10, 0x00));       /* tag over 32 bits */
        expect_malformed(BYTES(0x0b, 0x0c));                               /* group */
        expect_malformed(BYTES(0xfb, 0x07, 0xfc, 0x07));                   /* unknown group */
        expect_malformed(BYTES(0x0e, 0x00));                               /* wire type 6 */
        expect_malformed(BYTES(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f));       /* a length of 4 GiB */
        expect_malformed(BYTES(0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)); /* length of six bytes */
        expect_malformed(BYTES(0x28, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02)); /* over 64 bits */
        expect_malformed(
            BYTES(0x28, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)); /* eleven bytes */
        expect_malformed(BYTES(0x62, 1, 0x80));                                             /* truncated packed list */
        expect_malformed(BYTES(0x6a, 3, 1, 2, 3));                                          /* three bytes of fixed32 */
}

static void a_field_of_another_type_is_rejected(void **state)
{
        (void)state;
        expect_field("name", "cannot decode the message: the field has the wrong wire type", BYTES(0x08, 0x01));
        expect_field("limit", "cannot decode the message: the field has the wrong wire type", BYTES(0x2a, 0x01, 0x01));
}

static void invalid_utf8_and_nul_are_rejected_with_their_field(void **state)
{
        (void)state;
        expect_field("name", "must be valid UTF-8", BYTES(0x0a, 2, 'a', 0xff));
        expect_field("name", "must be valid UTF-8", BYTES(0x0a, 3, 0xed, 0xa0, 0x80)); /* a surrogate */
        expect_field("name", "must not contain NUL characters", BYTES(0x0a, 3, 'a', 0, 'b'));
        expect_field("ids[1]", "must be valid UTF-8", BYTES(0x52, 1, 'a', 0x52, 1, 0x80));
        expect_field("parts[0].label", "must not contain NUL characters", BYTES(0x5a, 3, 0x0a, 1, 0));
        assert_int_equal(scan(BYTES(0x3a, 2, 0, 0xff)), SN_OK); /* bytes may be anything */
}

static void a_list_longer_than_its_limit_is_rejected_packed_or_not(void **state)
{
        (void)state;
        assert_int_equal(scan(BYTES(0x62, 2, 1, 2, 0x60, 3, 0x60, 4)), SN_OK);
        expect_field("numbers", "must have at most 4 items", BYTES(0x62, 2, 1, 2, 0x60, 3, 0x62, 2, 1, 2));
        expect_field("numbers", "must have at most 4 items", BYTES(0x62, 5, 1, 2, 3, 4, 5));
        expect_field("parts", "must have at most 2 items", BYTES(0x5a, 0, 0x5a, 0, 0x5a, 0));
}

static void a_repeated_singular_field_is_rejected(void **state)
{
        (void)state;
        expect_field("name", "cannot decode the message: the field appears twice", BYTES(0x0a, 0, 0x0a, 0));
        expect_field("right", "cannot be combined with another member of the same oneof",
                     BYTES(0xaa, 1, 0, 0xb2, 1, 0));
        assert_int_equal(scan(BYTES(0x82, 1, 0, 0xb2, 1, 0)), SN_OK); /* members of two different oneofs */
}

static void a_few_unknown_fields_are_accepted_and_many_are_not(void **state)
{
        (void)state;
        uint8_t many[65 * 3];
        for (size_t i = 0; i < 65; i++) {
                memcpy(many + 3 * i, (const uint8_t[]){0xc0, 0x3e, 1}, 3); /* field 1000 */
        }
        assert_int_equal(scan(many, sizeof(many) - 3), SN_OK);
        expect_malformed(many, sizeof(many));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_packed_message_is_accepted_and_unpacks_to_the_same),
            cmocka_unit_test(an_empty_message_is_accepted),
            cmocka_unit_test(every_prefix_of_a_message_is_rejected_or_a_shorter_message),
            cmocka_unit_test(malformed_tags_and_lengths_are_rejected),
            cmocka_unit_test(a_field_of_another_type_is_rejected),
            cmocka_unit_test(invalid_utf8_and_nul_are_rejected_with_their_field),
            cmocka_unit_test(a_list_longer_than_its_limit_is_rejected_packed_or_not),
            cmocka_unit_test(a_repeated_singular_field_is_rejected),
            cmocka_unit_test(a_few_unknown_fields_are_accepted_and_many_are_not),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
