/* Shared by the files of terms_make, and private to them. */
#ifndef SERVICES_SEARCH_TERMS_PARTS_H
#define SERVICES_SEARCH_TERMS_PARTS_H

#include "base/buf.h"
#include "services/search/search.h"
#include "services/search/store.h"
#include "services/search/terms.h"

struct leaf {
        const struct query *query;
        struct lexemes lexemes;
        const char *filter; /* the lexeme of a filter; NULL if there is none, or the filter is of the whole query */
        bool excluded;
        bool paired; /* a phrase with two adjacent frequent words, which the index has as one lexeme */
        size_t word; /* index in `words` below, from 1; 0 if it has no alternatives */
        /* those that every matching note must have, so that their counts bound the matches; 0: unknown */
        size_t counted, also;
};

struct making {
        struct rpc_call *c;
        struct terms *out;
        struct leaf leaves[QUERY_MAX_TERMS];
        size_t n_leaves, written; /* written: the next leaf to write */
        struct word_asked words[2 * QUERY_MAX_TERMS + 1];
        size_t n_words, n_mistyped; /* n_mistyped: words that may be */
        size_t n_typed;             /* words typed so far, those of phrases included */
        SearchRows__Word **rows;
        size_t n_rows;
        double n_notes;
        bool exact;
        bool has_pairs;       /* all notes are indexed with their pairs of frequent words */
        bool as_typed;        /* currently writing only the words and their forms */
        bool for_index;       /* currently writing only what the index finds fast */
        bool omitted;         /* something was left out for that */
        const char *language; /* requested by lang:, or "" */
        struct buf query;
};

/* Fills leaves and words from the query's tree. */
SN_CHECKED sn_status terms_collect(struct making *m, const struct query *query);

/* Whether words with this prefix match, too. */
bool terms_may_be_start(const struct making *m, const struct leaf *leaf);
/* Whether the row's word matches: as typed, as its form or, unless only what was typed is written, instead of it. */
bool terms_is_admitted(const struct making *m, const SearchRows__Word *row);

/* Fills `most`, `share` and `few`: reading all matches takes `most` rows, and walking those between as many matches as
 * are ranked. */
void terms_estimate(const struct making *m, const struct query *query, struct terms_query *out);

/* Of the rows that are typing mistakes, keeps those to search for; reads more if there are none. */
SN_CHECKED sn_status typos_choose(struct db_tx *tx, struct making *m);

#endif
