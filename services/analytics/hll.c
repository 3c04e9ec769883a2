/* Owns HyperLogLog. */
#include "services/analytics/hll.h"

#include <math.h>

#define REST (64 - HLL_BITS) /* bits of a hash that choose no register */

void hll_add(struct hll *hll, uint64_t hash)
{
        uint64_t rest = hash << HLL_BITS;
        uint8_t rank = (uint8_t)(rest == 0 ? REST + 1 : __builtin_clzll(rest) + 1);
        uint8_t *mine = &hll->registers[hash >> REST];

        *mine = rank > *mine ? rank : *mine;
}

void hll_merge(struct hll *into, const uint8_t registers[HLL_BYTES])
{
        for (int i = 0; i < HLL_BYTES; i++) {
                into->registers[i] = registers[i] > into->registers[i] ? registers[i] : into->registers[i];
        }
}

/* The sums of the paper: over 2^k x^(2^k) and the like, until another term changes nothing. */
static double sigma(double x)
{
        double y = 1, z = x, before;

        if (x == 1) {
                return INFINITY;
        }
        do {
                x *= x;
                before = z;
                z += x * y;
                y += y;
        } while (z != before);
        return z;
}

static double tau(double x)
{
        double y = 1, z = 1 - x, before;

        if (x == 0 || x == 1) {
                return 0;
        }
        do {
                x = sqrt(x);
                before = z;
                y /= 2;
                z -= (1 - x) * (1 - x) * y;
        } while (z != before);
        return z / 3;
}

double hll_count(const struct hll *hll)
{
        double counts[REST + 2] = {0}, m = HLL_BYTES, z;

        for (int i = 0; i < HLL_BYTES; i++) {
                uint8_t rank = hll->registers[i];

                counts[rank <= REST + 1 ? rank : REST + 1]++;
        }
        z = m * tau(1 - counts[REST + 1] / m);
        for (int k = REST; k >= 1; k--) {
                z = (z + counts[k]) / 2;
        }
        z += m * sigma(counts[0] / m);
        return m * m / (2 * M_LN2 * z);
}

static uint64_t mix(uint64_t h)
{
        h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
        h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
        return h ^ h >> 33;
}

uint64_t hll_hash(const uint8_t uuid[16])
{
        uint64_t high = 0, low = 0;

        for (int i = 0; i < 8; i++) {
                high = high << 8 | uuid[i];
                low = low << 8 | uuid[8 + i];
        }
        return mix(mix(high) ^ low);
}
