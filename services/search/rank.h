/* The score of a note: a sum whose parts are shown by `explain`. It depends only on the note, the query and the reader
 * and not on the time, so pages continue where they stopped. In millionths. Pure. */
#ifndef SERVICES_SEARCH_RANK_H
#define SERVICES_SEARCH_RANK_H

#include "services/search/search_rows.rpc.h"
#include "services/search/terms.h"

enum { RANK_EXACTNESS, RANK_TEXT, RANK_QUALITY, RANK_RECENCY, RANK_NEARNESS, RANK_PARTS };

struct ranked {
        const char *id;
        int64_t score;
        int64_t parts[RANK_PARTS];
        int64_t engagement;
        int64_t edited_ms;    /* of the indexed text; 0: never edited */
        const int64_t *ranks; /* of each alternative, from match.h */
};

/* 0 for NULL. */
int64_t rank_time_ms(const Google__Protobuf__Timestamp *at);

const char *rank_part_name(int part);
/* ranks: from match.h. followed: whether the reader follows the author. */
struct ranked rank_note(const struct terms *terms, const SearchRows__Candidate *candidate, const int64_t *ranks,
                        bool followed);
/* The most exact alternative by which a note with these ranks matches a term; NULL if it does not. */
const struct alternative *rank_match(const struct terms *terms, const int64_t *ranks, size_t term);

#endif
