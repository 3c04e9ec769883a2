/* Owns scoring: a text score like BM25 (rarity, saturation, length), and other signals of relevance. */
#include "services/search/rank.h"

#include <math.h>
#include "base/uuid.h"

#define MILLION 1000000.0
/* 2020-01-01, an arbitrary day, since only differences in recency matter. */
#define EPOCH_MS INT64_C(1577836800000)
/* Of two otherwise equal notes, the one that is 90 days newer scores one point more. */
#define POINT_MS (90.0 * 24 * 60 * 60 * 1000)

enum { MEAN_LENGTH = 20 };

const char *rank_part_name(int part)
{
        static const char *const names[RANK_PARTS] = {"exactness", "text", "quality", "recency", "nearness"};

        return names[part];
}

/* A long text contains a word more easily than a short one. */
static double length_factor(int64_t length)
{
        return 1 / (0.75 + 0.25 * (double)length / MEAN_LENGTH);
}

struct best {
        double value;
        enum exactness exactness;
        bool met;
};

/* The best alternative of each term counts; the exactness of the note is that of its least exact term. */
static void rank_text(const struct terms *terms, const int64_t *ranks, double *sum, enum exactness *exactness)
{
        struct best best[QUERY_MAX_TERMS] = {0};

        for (size_t i = 0; i < terms->n_alternatives; i++) {
                const struct alternative *a = &terms->alternatives[i];
                double value = a->weight * (double)ranks[i] / MILLION;
                struct best *b = &best[a->term];

                if (value > 0) {
                        b->exactness = !b->met || a->exactness > b->exactness ? a->exactness : b->exactness;
                        b->value = value > b->value ? value : b->value;
                        b->met = true;
                }
        }
        *exactness = EXACT_WORD;
        for (size_t i = 0; i < terms->n; i++) {
                *sum += best[i].value;
                *exactness = best[i].met && best[i].exactness < *exactness ? best[i].exactness : *exactness;
        }
}

int64_t rank_time_ms(const Google__Protobuf__Timestamp *at)
{
        return at != NULL ? at->seconds * 1000 + at->nanos / 1000000 : 0;
}

struct ranked rank_note(const struct terms *terms, const SearchRows__Candidate *candidate, const int64_t *ranks,
                        bool followed)
{
        struct ranked ranked = {.id = candidate->note_id,
                                .engagement = candidate->engagement,
                                .edited_ms = rank_time_ms(candidate->edited_at),
                                .ranks = ranks};
        double text = 0;
        enum exactness exactness;

        rank_text(terms, ranks, &text, &exactness);
        ranked.parts[RANK_EXACTNESS] = exactness * INT64_C(1000) * 1000000; /* outweighs everything else */
        ranked.parts[RANK_TEXT] = llround(text * length_factor(candidate->length) * MILLION);
        ranked.parts[RANK_QUALITY] = llround(log1p((double)candidate->engagement) / 2 * MILLION);
        ranked.parts[RANK_RECENCY] =
            llround((double)(uuid_time_ms(candidate->note_id) - EPOCH_MS) / POINT_MS * MILLION);
        ranked.parts[RANK_NEARNESS] = followed ? 1000000 : 0;
        for (int i = 0; i < RANK_PARTS; i++) {
                ranked.score += ranked.parts[i];
        }
        return ranked;
}

const struct alternative *rank_match(const struct terms *terms, const int64_t *ranks, size_t term)
{
        const struct alternative *match = NULL;

        for (size_t i = 0; i < terms->n_alternatives; i++) {
                const struct alternative *a = &terms->alternatives[i];

                if (ranks[i] > 0 && a->term == term && (match == NULL || a->exactness > match->exactness)) {
                        match = a;
                }
        }
        return match;
}
