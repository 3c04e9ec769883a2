/* Detecting an Ogg file truncated at any byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/media/ogg.h"

enum { PAGES = 3, SEGMENTS = 2, PAGE_BYTES = 27 + SEGMENTS + 300, ALL_BYTES = PAGES * PAGE_BYTES };

static uint8_t all[ALL_BYTES + 10];

/* Pages of two segments, of 255 and 45 bytes; the last one ends the stream. */
static int make_pages(void **state)
{
        for (int i = 0; i < PAGES; i++) {
                uint8_t *page = all + (size_t)i * PAGE_BYTES;

                memset(page, 'x', PAGE_BYTES);
                memcpy(page, "OggS\0", 5);
                page[5] = i == PAGES - 1 ? 4 : 0;
                memcpy(page + 26, (const uint8_t[]){SEGMENTS, 255, 45}, 3);
        }
        memset(all + ALL_BYTES, 'T', sizeof(all) - ALL_BYTES);
        return 0;
}

static void an_ogg_is_complete_at_its_last_byte_and_not_before(void **state)
{
        for (size_t len = 0; len < ALL_BYTES; len++) {
                assert_false(ogg_is_whole(all, len));
        }
        assert_true(ogg_is_whole(all, ALL_BYTES));
}

static void bytes_that_are_not_a_page_are_skipped(void **state)
{
        assert_true(ogg_is_whole(all, sizeof(all)));
        all[PAGE_BYTES] = 'o'; /* damages a page */
        assert_true(ogg_is_whole(all, ALL_BYTES));
        assert_false(ogg_is_whole((const uint8_t *)"nothing", 7));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_ogg_is_complete_at_its_last_byte_and_not_before),
            cmocka_unit_test(bytes_that_are_not_a_page_are_skipped),
        };
        return cmocka_run_group_tests(tests, make_pages, NULL);
}
