/* Owns the hash. */
#include "services/analytics/assign.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

uint32_t assign_bucket(const char *scope, const char *visitor)
{
        uint8_t hash[crypto_hash_sha256_BYTES];
        crypto_hash_sha256_state state;
        uint64_t bits = 0;

        crypto_hash_sha256_init(&state);
        crypto_hash_sha256_update(&state, (const uint8_t *)scope, strlen(scope));
        crypto_hash_sha256_update(&state, (const uint8_t *)":", 1);
        crypto_hash_sha256_update(&state, (const uint8_t *)visitor, strlen(visitor));
        crypto_hash_sha256_final(&state, hash);
        for (size_t i = 0; i < 7; i++) {
                bits = bits << 8 | hash[i];
        }
        return (uint32_t)((bits >> 4) % ASSIGN_BUCKETS);
}

bool assign_takes_part(const struct assign_plan *plan, const char *visitor, bool is_new)
{
        char scope[80];

        (void)snprintf(scope, sizeof(scope), "layer:%s", plan->layer);
        uint32_t bucket = assign_bucket(scope, visitor);

        return bucket >= plan->from_percent * 100 && bucket < plan->to_percent * 100 &&
               (plan->audience < 2 || (plan->audience == 2) == is_new) &&
               assign_bucket("holdout", visitor) >= plan->holdout_percent * 100;
}

size_t assign_variant(uint32_t bucket, size_t n)
{
        return (size_t)bucket * n / ASSIGN_BUCKETS;
}
