/* How well a note's words fit each alternative of a query. Pure. */
#ifndef SERVICES_SEARCH_MATCH_H
#define SERVICES_SEARCH_MATCH_H

#include <stdint.h>
#include <protobuf-c/protobuf-c.h>
#include "services/search/terms.h"

struct matcher;

/* In the arena, with the terms, which must stay. */
const struct matcher *matcher_new(struct arena *arena, const struct terms *terms);
/* For each alternative how often it is there, saturating (ts_rank of PostgreSQL for one word), in millionths; 0: it is
 * not. vector: a tsvector as PostgreSQL sends it; a truncated one has the words before. */
int64_t *match_words(struct arena *arena, const struct matcher *matcher, const ProtobufCBinaryData *vector);

#endif
