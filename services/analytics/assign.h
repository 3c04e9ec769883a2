/* Assignment: which variant of an experiment a member is in, by a hash alone. The same in analytics_bucket() of the
 * schema, and in docs/api.md for clients. */
#ifndef SERVICES_ANALYTICS_ASSIGN_H
#define SERVICES_ANALYTICS_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASSIGN_BUCKETS 10000

/* The first 52 bits of SHA-256 of "scope:visitor", modulo 10,000. scope: "layer:NAME" decides who takes part, and an
 * experiment's id decides the variant, so that the two are independent. */
uint32_t assign_bucket(const char *scope, const char *visitor);
/* Who takes part: by layer, percents, the holdout that all experiments share (scope "holdout"), and audience (1: all;
 * 2: the new; 3: the others). */
struct assign_plan {
        const char *layer;
        uint32_t from_percent, to_percent, holdout_percent, audience;
};
bool assign_takes_part(const struct assign_plan *plan, const char *visitor, bool is_new);
/* The variant for a bucket, among n equal shares. */
size_t assign_variant(uint32_t bucket, size_t n);

#endif
