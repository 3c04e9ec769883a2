/* t-digest: quantiles of many numbers in 4 KB, most accurate towards both ends (T. Dunning, O. Ertl, "Computing
 * extremely accurate quantiles using t-digests", 2019, arXiv:1902.04023: the merging digest with scale function k1).
 * Pure functions. */
#ifndef SERVICES_ANALYTICS_TDIGEST_H
#define SERVICES_ANALYTICS_TDIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The paper's delta. The rank of an estimated quantile q is off by at most 2 pi / delta * sqrt(q (1 - q)) of all
 * numbers, or by one number, since no centroid is wider. At the median that is 1.6 %. */
#define TDIGEST_DELTA     200
#define TDIGEST_MAX       (TDIGEST_DELTA + 10) /* centroids of a packed digest */
#define TDIGEST_MAX_BYTES ((2 + 2 * TDIGEST_MAX) * sizeof(double))

struct tdigest_centroid {
        double mean, weight;
};

/* Zero-initialized: empty. */
struct tdigest {
        /* The first n_merged are sorted; the others are not merged yet. */
        struct tdigest_centroid centroids[5 * TDIGEST_MAX];
        size_t n, n_merged;
        double min, max;
};

void tdigest_add(struct tdigest *digest, double value);
/* Merges a packed digest into another. False, without changes, if the bytes are not a digest. */
bool tdigest_merge(struct tdigest *into, const uint8_t *packed, size_t len);
/* Packs min, max, and the mean and weight of each centroid as little-endian IEEE 754 doubles. Returns the length. */
size_t tdigest_pack(struct tdigest *digest, uint8_t out[TDIGEST_MAX_BYTES]);
/* The number of values added. */
double tdigest_weight(const struct tdigest *digest);
/* 0 <= q <= 1. Returns 0 for an empty digest. */
double tdigest_quantile(struct tdigest *digest, double q);

#endif
