/* HyperLogLog: counts distinct elements in 4 KB, however many there are (P. Flajolet, É. Fusy, O. Gandouet, F. Meunier,
 * 2007), with the estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017
 * (arXiv:1702.01284, algorithms 5 and 6), which needs no tables for small numbers. Pure functions. */
#ifndef SERVICES_ANALYTICS_HLL_H
#define SERVICES_ANALYTICS_HLL_H

#include <stdint.h>

#define HLL_BITS  12
#define HLL_BYTES (1 << HLL_BITS)
/* The estimate's relative standard error: 1.04 / sqrt(HLL_BYTES). One estimate in 22 is off by more than twice that.
 * With few people, the count may be one too low. */
#define HLL_STANDARD_ERROR 0.01625

/* As stored. Zero-initialized: empty. */
struct hll {
        uint8_t registers[HLL_BYTES];
};

/* hash: 64 independent bits. Equal hashes count once. */
void hll_add(struct hll *hll, uint64_t hash);
/* Merges registers into `into`, which then counts the union. */
void hll_merge(struct hll *into, const uint8_t registers[HLL_BYTES]);
double hll_count(const struct hll *hll);

/* Hashes a UUID, not all of whose bits are random (finalizer of MurmurHash3). */
uint64_t hll_hash(const uint8_t uuid[16]);

#endif
