/* Owns t-digest. */
#include "services/analytics/tdigest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROOM (sizeof(((struct tdigest *)0)->centroids) / sizeof(struct tdigest_centroid))

double tdigest_weight(const struct tdigest *digest)
{
        double sum = 0;

        for (size_t i = 0; i < digest->n; i++) {
                sum += digest->centroids[i].weight;
        }
        return sum;
}

static int by_mean(const void *a, const void *b)
{
        double x = ((const struct tdigest_centroid *)a)->mean, y = ((const struct tdigest_centroid *)b)->mean;

        return (x > y) - (x < y);
}

/* The scale function k1 and its inverse. A centroid spans at most 1 on that scale. */
static double scale(double q)
{
        return TDIGEST_DELTA / (2 * M_PI) * asin(2 * q - 1);
}

static double unscale(double k)
{
        return k >= TDIGEST_DELTA / 4.0 ? 1 : (sin(k * 2 * M_PI / TDIGEST_DELTA) + 1) / 2;
}

static void join_centroids(struct tdigest_centroid *into, const struct tdigest_centroid *c)
{
        into->weight += c->weight;
        into->mean += (c->mean - into->mean) * c->weight / into->weight;
}

/* Sorts the centroids, and merges neighbours as far as their span allows. */
static void compress(struct tdigest *digest)
{
        struct tdigest_centroid *c = digest->centroids;
        double all = tdigest_weight(digest), before = 0, limit = all * unscale(scale(0) + 1);
        size_t last = 0;

        if (digest->n_merged == digest->n) {
                return;
        }
        qsort(c, digest->n, sizeof(*c), by_mean);
        for (size_t i = 1; i < digest->n; i++) {
                if (before + c[last].weight + c[i].weight <= limit) {
                        join_centroids(&c[last], &c[i]);
                        continue;
                }
                before += c[last].weight;
                limit = all * unscale(scale(before / all) + 1);
                c[++last] = c[i];
        }
        digest->n = digest->n_merged = last + 1;
}

static void put_centroid(struct tdigest *digest, struct tdigest_centroid c)
{
        if (digest->n == ROOM) {
                compress(digest);
        }
        digest->centroids[digest->n++] = c;
}

static void widen(struct tdigest *digest, double min, double max)
{
        digest->min = digest->n == 0 || min < digest->min ? min : digest->min;
        digest->max = digest->n == 0 || max > digest->max ? max : digest->max;
}

void tdigest_add(struct tdigest *digest, double value)
{
        widen(digest, value, value);
        put_centroid(digest, (struct tdigest_centroid){value, 1});
}

/* ---- As bytes ---- */

static uint8_t *put_double(uint8_t *out, double value)
{
        uint64_t bits;

        memcpy(&bits, &value, sizeof(bits));
        for (int i = 0; i < 8; i++) {
                *out++ = (uint8_t)(bits >> 8 * i);
        }
        return out;
}

static double get_double(const uint8_t *bytes)
{
        uint64_t bits = 0;
        double value;

        for (int i = 7; i >= 0; i--) {
                bits = bits << 8 | bytes[i];
        }
        memcpy(&value, &bits, sizeof(value));
        return value;
}

size_t tdigest_pack(struct tdigest *digest, uint8_t out[TDIGEST_MAX_BYTES])
{
        uint8_t *end = put_double(put_double(out, digest->min), digest->max);

        compress(digest);
        for (size_t i = 0; i < digest->n; i++) {
                end = put_double(put_double(end, digest->centroids[i].mean), digest->centroids[i].weight);
        }
        return (size_t)(end - out);
}

static bool is_packed(const uint8_t *packed, size_t len)
{
        if (len < 16 || len % 16 != 0 || len > TDIGEST_MAX_BYTES) {
                return false;
        }
        for (size_t at = 0; at < len; at += 8) {
                double value = get_double(packed + at);

                if (!isfinite(value) || (at >= 16 && at % 16 == 8 && value <= 0)) {
                        return false;
                }
        }
        return true;
}

bool tdigest_merge(struct tdigest *into, const uint8_t *packed, size_t len)
{
        if (!is_packed(packed, len)) {
                return false;
        }
        if (len > 16) {
                widen(into, get_double(packed), get_double(packed + 8));
        }
        for (size_t at = 16; at < len; at += 16) {
                put_centroid(into, (struct tdigest_centroid){get_double(packed + at), get_double(packed + at + 8)});
        }
        return true;
}

/* ---- Quantiles ---- */

/* Half of a centroid's numbers are below its mean. Interpolates linearly between means, and from the outermost means to
 * the minimum and maximum. */
double tdigest_quantile(struct tdigest *digest, double q)
{
        const struct tdigest_centroid *c = digest->centroids;
        double rank = q * tdigest_weight(digest), at = 0, value = digest->min;

        if (digest->n == 0) {
                return 0;
        }
        compress(digest);
        for (size_t i = 0; i < digest->n; i++) {
                double middle = at + (i == 0 ? c[0].weight : c[i - 1].weight + c[i].weight) / 2;

                if (rank < middle) {
                        return value + (c[i].mean - value) * (rank - at) / (middle - at);
                }
                at = middle;
                value = c[i].mean;
        }
        double end = at + c[digest->n - 1].weight / 2;

        return rank >= end ? digest->max : value + (digest->max - value) * (rank - at) / (end - at);
}
