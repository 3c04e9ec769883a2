/* Perceptual hashes of similar pictures are similar, those of others are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "services/media/phash.h"

enum { MOST = 32 };

/* A picture of some waves, in any resolution and brightness. */
static void hash_waves(double seed, int width, int height, double gain, char out[PHASH_SIZE])
{
        uint8_t rgb[MOST * MOST * 3];

        for (int i = 0; i < width * height; i++) {
                int column = i % width, line = i / width;
                double x = (column + 0.5) / width, y = (line + 0.5) / height, sum = 0;

                for (int k = 1; k < 7; k++) {
                        sum += sin(seed * k * 7.3 + k * x * 5) * cos(seed * k * 3.1 + (7 - k) * y * 4);
                }
                memset(rgb + 3 * (size_t)i, (int)fmax(0, fmin(255, 128 + gain * 20 * sum)), 3);
        }
        phash_of(rgb, width, height, out);
}

static int distance(const char *a, const char *b)
{
        return __builtin_popcountll(strtoull(a, NULL, 16) ^ strtoull(b, NULL, 16));
}

static void a_picture_in_another_size_and_brightness_is_alike(void **state)
{
        for (int seed = 1; seed < 50; seed++) {
                char whole[PHASH_SIZE], small[PHASH_SIZE];

                hash_waves(seed, 32, 32, 1, whole);
                hash_waves(seed, 28, 24, 0.9, small);
                assert_int_equal(strlen(whole), PHASH_SIZE - 1);
                assert_in_range(distance(whole, small), 0, 6);
        }
}

static void other_pictures_differ_in_many_bits(void **state)
{
        char one[PHASH_SIZE], other[PHASH_SIZE];

        hash_waves(0.5, 32, 32, 1, one);
        for (int seed = 1; seed < 50; seed++) {
                hash_waves(seed, 32, 32, 1, other);
                assert_in_range(distance(one, other), 12, 64);
        }
}

static void a_picture_of_one_colour_has_none(void **state)
{
        char hash[PHASH_SIZE];

        hash_waves(1, 32, 32, 0, hash);
        assert_string_equal(hash, "");
        hash_waves(1, 1, 1, 1, hash);
        assert_string_equal(hash, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_picture_in_another_size_and_brightness_is_alike),
            cmocka_unit_test(other_pictures_differ_in_many_bits),
            cmocka_unit_test(a_picture_of_one_colour_has_none),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
