/* Translates a query's tree for the index: one tsquery, the alternatives by which matches are ranked, and bounds on
 * the whole. */
#ifndef SERVICES_SEARCH_TERMS_H
#define SERVICES_SEARCH_TERMS_H

#include "base/call.h"
#include "services/search/lexemes.h"
#include "services/search/query.h"

/* RELATED: only begins so, or is a synonym. */
enum exactness { EXACT_TYPO, EXACT_RELATED, EXACT_WORD };

/* How many of the newest matches are ranked. */
enum { TERMS_RANKED = 300 };

/* Lexemes next to each other. */
struct phrase {
        char **words;
        bool *starts; /* it is the beginning of one */
        size_t n;
        const struct lexemes *lexemes; /* of which it was made */
};

/* One way to match a term. */
struct alternative {
        size_t term;                 /* of the query: the best alternative of each counts */
        const char *lexeme;          /* NULL: a phrase */
        const struct phrase *phrase; /* NULL: a lexeme */
        const char *language;        /* only in notes with this sign; NULL: in all */
        double weight;               /* in ranking: how rare it is, and how close to what was typed */
        enum exactness exactness;
        bool start; /* of a word */
};

/* A word or a phrase that must match. */
struct term {
        const char *text; /* as typed */
        size_t at;
};

/* A tsquery. */
struct terms_query {
        const char *text;
        bool few;           /* reading all matches takes less than walking down from the newest note until some match */
        double most, share; /* at most so many notes match; of all notes so many, about */
};

/* Of so many notes, the newest ones and the most engaged ones, which is the last. */
struct step {
        int64_t notes;
        const char *note_id;
        int64_t engagement;
};

struct terms {
        struct terms_query query;    /* all that is found; its text is NULL: all notes */
        struct terms_query as_typed; /* of these, without typing mistakes, synonyms and more of the last word; its text
                                        is NULL when that is the same */
        struct alternative *alternatives;
        size_t n_alternatives;
        struct term *items;
        size_t n;
        double n_notes;
        struct step *steps; /* by notes */
        size_t n_steps;
        /* Filters of the query as a whole. */
        const char *above, *below; /* ids, exclusive; "": no bound */
        int64_t min_likes;
        bool only_followed, only_bookmarked;
};

/* SN_INVALID_ARGUMENT, query_invalid, with the position of what cannot be asked. Reads the index, and asks user_service
 * for members by name. exact: without typing mistakes, and with the last word as a whole. */
SN_CHECKED sn_status terms_make(struct rpc_call *c, const struct query *query, bool exact, struct terms *out);
/* 'lexeme' as in a tsquery, with what stands behind it there (":*"). */
char *terms_quote(struct arena *arena, const char *lexeme, const char *behind);
sn_status terms_fail(struct rpc_call *c, size_t at, const char *wants);

#endif
