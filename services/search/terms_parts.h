/* What the files of terms_make share. Private to them. */
#ifndef SERVICES_SEARCH_TERMS_PARTS_H
#define SERVICES_SEARCH_TERMS_PARTS_H

#include "base/buf.h"
#include "services/search/search.h"
#include "services/search/store.h"
#include "services/search/terms.h"

struct leaf {
        const struct query *query;
        struct lexemes lexemes;
        const char *filter; /* the lexeme of a filter; NULL: none, or not one of single notes */
        bool excluded;
        size_t word; /* of `words` below, from 1; 0: it stands for itself alone */
        /* of them those that every note has that it finds: their counts bound how many there are; 0: not known */
        size_t counted, also;
};

struct making {
        struct rpc_call *c;
        struct terms *out;
        struct leaf leaves[QUERY_MAX_TERMS];
        size_t n_leaves, written; /* the leaf that is written next */
        struct word_asked words[2 * QUERY_MAX_TERMS + 1];
        size_t n_words;
        SearchRows__Word **rows;
        size_t n_rows;
        double n_notes;
        bool exact;
        bool as_typed;        /* of what is written now: the words and their other forms alone */
        const char *language; /* that lang: asks for; "" */
        struct buf query;
};

/* Fills leaves and words from the query's tree. */
SN_CHECKED sn_status terms_collect(struct making *m, const struct query *query);

#endif
