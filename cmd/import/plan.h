/* Who posts what: each member's notes, the same in every run with the same graph, texts and seed, so that a repeated
 * import recognises them. */
#ifndef CMD_IMPORT_PLAN_H
#define CMD_IMPORT_PLAN_H

#include "base/buf.h"
#include "cmd/import/graph.h"
#include "cmd/import/texts.h"

#define IMPORT_KEY_SIZE 48

struct import_plan {
        const struct import_graph *graph;
        const struct import_texts *texts;
        uint32_t *order; /* the texts, shuffled */
        size_t notes;    /* per member */
};

/* texts must not be empty; the caller keeps both. */
void import_plan_make(struct import_plan *plan, const struct import_graph *graph, const struct import_texts *texts,
                      size_t notes, uint64_t seed);
void import_plan_free(struct import_plan *plan);

/* Replaces out by the text of a member's note: one in five ends with a hashtag. Independent of the number of notes. */
void import_plan_text(const struct import_plan *plan, size_t member, size_t note, struct buf *out);
/* The Idempotency-Key of that note. */
void import_plan_key(const struct import_plan *plan, size_t member, size_t note, const char *text,
                     char out[IMPORT_KEY_SIZE]);

#endif
