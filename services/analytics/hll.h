/* HyperLogLog: how many different things there were, in 4 KB, however many (P. Flajolet, É. Fusy, O. Gandouet,
 * F. Meunier, 2007), with the estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches",
 * 2017 (arXiv:1702.01284, algorithms 5 and 6), which needs no tables for small numbers. Pure functions. */
#ifndef SERVICES_ANALYTICS_HLL_H
#define SERVICES_ANALYTICS_HLL_H

#include <stdint.h>

#define HLL_BITS  12
#define HLL_BYTES (1 << HLL_BITS)
/* Of the estimate: 1.04 / sqrt(HLL_BYTES). One in 22 is further off than twice that; of a few people it is one who may
 * be missing. */
#define HLL_STANDARD_ERROR 0.01625

/* As it is stored. All zero: nothing was added. */
struct hll {
        uint8_t registers[HLL_BYTES];
};

/* hash: of 64 independent bits. The same one twice counts once. */
void hll_add(struct hll *hll, uint64_t hash);
/* Merges: afterwards into counts the union of both. */
void hll_merge(struct hll *into, const uint8_t registers[HLL_BYTES]);
double hll_count(const struct hll *hll);

/* Of a UUID, whose bits are not all random: mixed (the finalizer of MurmurHash3). */
uint64_t hll_hash(const uint8_t uuid[16]);

#endif
