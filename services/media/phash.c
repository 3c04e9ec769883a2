/* Owns the perceptual hash algorithm ("pHash", Zauner 2010): a discrete cosine transform of the brightness. */
#include "services/media/phash.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, BITS = SIDE * SIDE };
/* The least amplitude, of 255, that one of the frequencies must have. */
#define LEAST 1.0

static double brightness(const uint8_t *p)
{
        return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

/* 0 for frequencies above what the pixels can represent. */
static double frequency(const uint8_t *rgb, int width, int height, int i, int j)
{
        double sum = 0;

        if (i >= width || j >= height) {
                return 0;
        }
        for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                        sum += cos(M_PI * i * (x + 0.5) / width) * cos(M_PI * j * (y + 0.5) / height) *
                               brightness(rgb + (size_t)3 * (size_t)(y * width + x));
                }
        }
        return sum / (width * height);
}

static int compare_doubles(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

/* The first frequency is the mean brightness, which says nothing about how much a picture shows. */
void phash_of(const uint8_t *rgb, int width, int height, char out[PHASH_SIZE])
{
        double all[BITS], sorted[BITS], most = 0;
        uint64_t hash = 0;

        for (int n = 0; n < BITS; n++) {
                all[n] = frequency(rgb, width, height, n % SIDE, n / SIDE);
                most = n > 0 ? fmax(most, fabs(all[n])) : 0;
        }
        memcpy(sorted, all, sizeof(all));
        qsort(sorted, BITS, sizeof(sorted[0]), compare_doubles);
        double median = (sorted[BITS / 2 - 1] + sorted[BITS / 2]) / 2;
        for (int n = 0; n < BITS; n++) {
                hash = hash << 1 | (all[n] > median);
        }
        (void)snprintf(out, PHASH_SIZE, "%016" PRIx64, hash);
        if (most < LEAST) {
                out[0] = '\0';
        }
}
