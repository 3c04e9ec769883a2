/* multipart/form-data: parsed the same however it is split, and rejected if ambiguous. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "http/multipart.h"

static char seen[2000];

static void note(const char *text, size_t len)
{
        size_t at = strlen(seen);
        assert_true(at + len < sizeof(seen));
        memcpy(seen + at, text, len);
        seen[at + len] = '\0';
}

static bool begin(void *context, const struct multipart_part *part)
{
        char text[600];
        int n = snprintf(text, sizeof(text), "%s|%s|%s[", part->name, part->has_file_name ? part->file_name : "-",
                         part->type);
        note(text, (size_t)n);
        return strcmp(part->name, "stop") != 0;
}

static bool bytes(void *context, struct str piece)
{
        note(piece.ptr, piece.len);
        return true;
}

static bool end(void *context)
{
        note("]", 1);
        return true;
}

/* In pieces of the given size. */
static const char *read_form(const char *body, size_t piece)
{
        static const struct multipart_handlers handlers = {begin, bytes, end, NULL};
        struct multipart m;
        size_t len = strlen(body);
        seen[0] = '\0';
        multipart_init(&m, STR("B"), &handlers);
        for (size_t at = 0; at < len; at += piece) {
                size_t n = len - at < piece ? len - at : piece;
                enum multipart_result result = multipart_take(&m, (struct str){body + at, n});
                if (result != MULTIPART_MORE) {
                        return result == MULTIPART_STOPPED ? "stopped" : "malformed";
                }
        }
        return multipart_is_whole(&m) ? seen : "not whole";
}

static void expect(const char *body, const char *expected)
{
        for (size_t piece = 1; piece <= strlen(body); piece++) {
                const char *got = read_form(body, piece);
                if (strcmp(got, expected) != 0) {
                        fail_msg("in pieces of %zu: \"%s\" instead of \"%s\"", piece, got, expected);
                }
        }
}

#define PART "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"

static void parts_are_separated_whatever_they_contain(void **state)
{
        expect(PART "x\r\n--B--", "a|-|[x]");
        expect(PART "x\r\n--B--\r\n", "a|-|[x]");
        expect(PART "\r\n--B--\r\n", "a|-|[]");
        expect(PART "1\r\n" PART "2\r\n--B--\r\n", "a|-|[1]a|-|[2]");
        expect(PART "\r\r\n\r\n-\r\n--\r\n--C\r\n\r\n--B--", "a|-|[\r\r\n\r\n-\r\n--\r\n--C\r\n]");
        expect("--B\r\ncontent-type:  image/png \r\nX-Else: y\r\nContent-Disposition: FORM-DATA; name=\"f\"; "
               "filename=\"a \\\"b\\\".png\"\r\n\r\nx\r\n--B--",
               "f|a \"b\".png|image/png[x]");
        expect("--B\r\nContent-Disposition: form-data; filename=\"\"; name=\"f\"\r\n\r\nx\r\n--B--", "f||[x]");
        expect("--B--", "");
}

static void ambiguous_forms_are_rejected(void **state)
{
        static const char *const bodies[] = {
            "preamble\r\n" PART "x\r\n--B--",
            "\r\n" PART "x\r\n--B--",
            PART "x\r\n--B \r\n",
            PART "x\r\n--Bx",
            PART "x\r\n--B-x",
            PART "x\r\n--B--\r\nepilogue",
            "--B\nContent-Disposition: form-data; name=\"a\"\n\nx\n--B--",
            "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n",
            "--B\r\nContent-Disposition: form-data\r\n\r\n",
            "--B\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n",
            "--B\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n",
            "--B\r\nContent-Disposition: form-data; name=\"a\"; filename*=\"b\"\r\n\r\n",
            "--B\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n",
            "--B\r\nContent-Disposition: form-data; name=\"a\" x\r\n\r\n",
            "--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\n",
            "--B\r\nno colon\r\n\r\n",
            "--B\r\n\r\nx",
            "--B\r\nContent-Transfer-Encoding: base64\r\n",
            "--B\r\na:b\rc\r\n",
        };
        for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
                expect(bodies[i], "malformed");
        }
        expect(PART "x\r\n--B", "not whole");
        expect(PART "x", "not whole");
        expect("--B\r\nContent-Disposition: form-data; name=\"stop\"\r\n\r\nx", "stopped");
}

static void part_heads_are_limited(void **state)
{
        char body[3000], name[100];
        memset(name, 'n', sizeof(name));
        (void)snprintf(body, sizeof(body), "--B\r\nContent-Disposition: form-data; name=\"%.65s\"\r\n\r\n", name);
        assert_string_equal(read_form(body, 3000), "malformed");
        memset(body, 'x', sizeof(body));
        memcpy(body, "--B\r\nX:", 7);
        body[1100] = '\0';
        assert_string_equal(read_form(body, 3000), "malformed");
        assert_string_equal(read_form("--B\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\na:b\r\n", 3000),
                            "malformed");
}

static void a_long_file_name_keeps_its_end(void **state)
{
        char body[700], name[301];
        memset(name, 'n', 300);
        memcpy(name + 296, ".png", 5);
        (void)snprintf(body, sizeof(body),
                       "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"%s\"\r\n\r\nx\r\n--B--", name);
        const char *got = read_form(body, 700);
        assert_non_null(strstr(got, ".png|[x]"));
        assert_int_equal(strlen(got), 2 + MULTIPART_FILE_NAME_MAX + 4);
}

static void the_boundary_is_read_from_the_content_type(void **state)
{
        struct str b;
        assert_true(multipart_boundary(str_of("multipart/form-data; boundary=abc"), &b));
        assert_true(str_equal_c(b, "abc"));
        assert_true(multipart_boundary(str_of("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), &b));
        assert_true(str_equal_c(b, "a b"));
        assert_false(multipart_boundary(str_of("multipart/form-data"), &b));
        assert_false(multipart_boundary(str_of("multipart/form-data; boundary="), &b));
        assert_false(multipart_boundary(str_of("multipart/form-data; boundary=\"a \""), &b));
        assert_false(multipart_boundary(str_of("multipart/mixed; boundary=abc"), &b));
        assert_false(multipart_boundary(str_of(NULL), &b));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(parts_are_separated_whatever_they_contain),
            cmocka_unit_test(ambiguous_forms_are_rejected),
            cmocka_unit_test(part_heads_are_limited),
            cmocka_unit_test(a_long_file_name_keeps_its_end),
            cmocka_unit_test(the_boundary_is_read_from_the_content_type),
        };
        return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
