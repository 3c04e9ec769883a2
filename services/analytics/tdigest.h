/* t-digest: quantiles of many numbers in 4 KB, most exact towards both ends (T. Dunning, O. Ertl, "Computing extremely
 * accurate quantiles using t-digests", 2019, arXiv:1902.04023: the merging digest with scale function k1). Pure
 * functions. */
#ifndef SERVICES_ANALYTICS_TDIGEST_H
#define SERVICES_ANALYTICS_TDIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The paper's delta. What is told of a quantile q has a rank that is at most 2 pi / delta * sqrt(q (1 - q)) of all
 * numbers away from q, or one number: a centroid is no wider. At the median that is 1.6 %. */
#define TDIGEST_DELTA     200
#define TDIGEST_MAX       (TDIGEST_DELTA + 10) /* centroids of a digest that is packed */
#define TDIGEST_MAX_BYTES ((2 + 2 * TDIGEST_MAX) * sizeof(double))

struct tdigest_centroid {
        double mean, weight;
};

/* All zero: nothing was added. */
struct tdigest {
        struct tdigest_centroid centroids[5 * TDIGEST_MAX]; /* the first n_merged ascend; the others wait */
        size_t n, n_merged;
        double min, max;
};

void tdigest_add(struct tdigest *digest, double value);
/* Merges a packed digest into another. False when the bytes are not a digest: then nothing changes. */
bool tdigest_merge(struct tdigest *into, const uint8_t *packed, size_t len);
/* How many bytes: min, max, then mean and weight of each centroid, as IEEE 754 doubles, little-endian. */
size_t tdigest_pack(struct tdigest *digest, uint8_t out[TDIGEST_MAX_BYTES]);
/* How many numbers there were. */
double tdigest_weight(const struct tdigest *digest);
/* 0 <= q <= 1; 0 of none. */
double tdigest_quantile(struct tdigest *digest, double q);

#endif
