/* JSON that is kept with a message: nobody can tell it from JSON that is written anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "json/json.h"
#include "json/test_kinds.h"

enum { MAX_BYTES = 1 << 20 };

static char *written(const void *message)
{
        struct buf b;
        buf_init(&b, MAX_BYTES);
        json_write_message(&b, type_of(message), message);
        assert_false(b.overflow);
        return b.data;
}

/* On the heap, as caches have it. */
static JsonTest__Kinds *shared(void)
{
        char *texts[] = {"one", "\"two\"", "\xC3\xBC"};
        JsonTest__Inner inner = JSON_TEST__INNER__INIT, *inners[] = {&inner, &inner};
        JsonTest__Kinds m = JSON_TEST__KINDS__INIT;
        uint8_t packed[1024];
        inner.name = "inside";
        m.i32 = -5;
        m.real = 0.25;
        m.flag = true;
        m.mood = JSON_TEST__MOOD__MOOD_VERY_SAD;
        m.text = "a text with \"quotes\"";
        m.n_texts = 3;
        m.texts = texts;
        m.n_inners = 2;
        m.inners = inners;
        m.inner = &inner;
        m.maybe_text_case = JSON_TEST__KINDS__MAYBE_TEXT_MAYBE;
        m.maybe = "perhaps";
        m.choice_case = JSON_TEST__KINDS__CHOICE_NUMBER;
        m.number = 7;
        size_t len = protobuf_c_message_pack(&m.base, packed);
        return (JsonTest__Kinds *)protobuf_c_message_unpack(m.base.descriptor, NULL, len, packed);
}

static void assert_same_as_anew(const JsonTest__Kinds *message)
{
        JsonTest__Kinds bare = *message;
        bare.base.unknown_fields = NULL;
        char *kept = written(message), *anew = written(&bare);
        assert_string_equal(kept, anew);
        free(kept);
        free(anew);
}

static void a_message_is_written_as_before_it_was_kept(void **state)
{
        JsonTest__Kinds *m = shared();
        char *before = written(m);
        assert_true(json_keep(type_of(&m->base), &m->base) > strlen(before));
        char *after = written(m);
        assert_string_equal(after, before);
        free(before);
        free(after);
        protobuf_c_message_free_unpacked(&m->base, NULL);
}

static void fields_that_a_copy_replaced_are_written_anew(void **state)
{
        JsonTest__Kinds *m = shared();
        JsonTest__Inner other = JSON_TEST__INNER__INIT;
        char *words[] = {"four"};
        assert_true(json_keep(type_of(&m->base), &m->base) > 0);
        JsonTest__Kinds first = *m, middle = *m, lists = *m, choice = *m, last = *m;
        first.i32 = 6;
        assert_same_as_anew(&first);
        other.name = "replaced";
        middle.inner = &other;
        middle.flag = false;
        middle.text = "";
        assert_same_as_anew(&middle);
        lists.texts = words;
        lists.n_texts = 1;
        lists.n_inners = 1; /* fewer of the same */
        assert_same_as_anew(&lists);
        choice.choice_case = JSON_TEST__KINDS__CHOICE_YES; /* another member in the same place */
        choice.maybe_text_case = JSON_TEST__KINDS__MAYBE_TEXT__NOT_SET;
        assert_same_as_anew(&choice);
        last.choice_case = JSON_TEST__KINDS__CHOICE_OBJECT;
        last.object = &other;
        assert_same_as_anew(&last);
        protobuf_c_message_free_unpacked(&m->base, NULL);
}

/* Whether it comes before or after one that is copied, a field that is left out has no comma. */
static void a_copy_may_leave_out_fields_or_have_them_again(void **state)
{
        JsonTest__Rules m = JSON_TEST__RULES__INIT;
        JsonTest__Inner inner = JSON_TEST__INNER__INIT;
        JsonTest__Rules *kept = (JsonTest__Rules *)protobuf_c_message_unpack(m.base.descriptor, NULL, 0, NULL);
        assert_true(json_keep(type_of(&kept->base), &kept->base) > 0);
        JsonTest__Rules more = *kept;
        more.omitted = m.omitted = "here";
        more.omitted_inner = m.omitted_inner = &inner;
        char *text = written(&more), *expected = written(&m);
        assert_string_equal(text, expected);
        free(text);
        free(expected);
        protobuf_c_message_free_unpacked(&kept->base, NULL);
}

/* They come from a newer release, and are where the JSON would be. */
static void a_message_with_unknown_fields_is_not_kept(void **state)
{
        static const uint8_t unknown[] = {0xFA, 0x3F, 0x01, 'x'}; /* field 1023 */
        JsonTest__Kinds none = JSON_TEST__KINDS__INIT;
        JsonTest__Kinds *m =
            (JsonTest__Kinds *)protobuf_c_message_unpack(none.base.descriptor, NULL, sizeof(unknown), unknown);
        assert_int_equal(m->base.n_unknown_fields, 1);
        assert_int_equal(json_keep(type_of(&m->base), &m->base), 0);
        char *text = written(m), *expected = written(&none);
        assert_string_equal(text, expected);
        free(text);
        free(expected);
        protobuf_c_message_free_unpacked(&m->base, NULL);
}

static int start(void **state)
{
        JsonTest__Kinds *m = shared();
        size_t before = json_keep(type_of(&m->base), &m->base);
        protobuf_c_message_free_unpacked(&m->base, NULL);
        json_keep_start();
        return before != 0; /* a process that writes no JSON keeps none */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_message_is_written_as_before_it_was_kept),
            cmocka_unit_test(fields_that_a_copy_replaced_are_written_anew),
            cmocka_unit_test(a_copy_may_leave_out_fields_or_have_them_again),
            cmocka_unit_test(a_message_with_unknown_fields_is_not_kept),
        };
        return cmocka_run_group_tests(tests, start, NULL);
}
