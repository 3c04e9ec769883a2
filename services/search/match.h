/* How well a note's words match each alternative of a query. Pure. */
#ifndef SERVICES_SEARCH_MATCH_H
#define SERVICES_SEARCH_MATCH_H

#include <stdint.h>
#include <protobuf-c/protobuf-c.h>
#include "services/search/terms.h"

/* For each alternative its saturated frequency (like ts_rank of PostgreSQL for one word) in millionths; 0 if it does
 * not occur. vector: a tsvector in PostgreSQL's binary format; a truncated one has the words before the end. */
int64_t *match_words(struct arena *arena, const struct terms *terms, const ProtobufCBinaryData *vector);

#endif
