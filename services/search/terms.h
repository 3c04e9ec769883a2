/* Translates a query's tree for the index: to a tsquery, the alternatives by which matches are ranked, and bounds of
 * the whole query. */
#ifndef SERVICES_SEARCH_TERMS_H
#define SERVICES_SEARCH_TERMS_H

#include "base/call.h"
#include "services/search/lexemes.h"
#include "services/search/query.h"

/* EXACT_RELATED: a word with the prefix, or a synonym. */
enum exactness { EXACT_TYPO, EXACT_RELATED, EXACT_WORD };

/* How many of the newest matches are ranked. */
enum { TERMS_RANKED = 300 };

/* Adjacent lexemes. */
struct phrase {
        char **words;
        bool *starts; /* whether each is only a prefix */
        size_t n;
        const struct lexemes *lexemes; /* that it was made of */
};

/* One way to match a term. */
struct alternative {
        size_t term;                 /* index of the term; the best alternative of each term counts */
        const char *lexeme;          /* NULL for a phrase */
        const struct phrase *phrase; /* NULL for a lexeme */
        const char *language;        /* only in notes with this lexeme; NULL: in all */
        double weight;               /* for ranking: by rarity and closeness to what was typed */
        enum exactness exactness;
        bool start; /* a prefix */
};

/* A word or a phrase that must match. */
struct term {
        const char *text; /* as typed */
        size_t at;
};

/* A tsquery. */
struct terms_query {
        const char *text;  /* NULL: all notes */
        const char *index; /* what is looked up; the rest is compared with each note. NULL: nothing */
        bool whole;        /* index is the same as text */
        bool few; /* reading all matches is cheaper than walking down from the newest note until enough match */
        double most, share; /* upper bound of matches; approximate share of all notes */
};

/* The last of the newest and of the most engaged n notes. */
struct step {
        int64_t notes;
        const char *note_id;
        int64_t engagement;
};

struct terms {
        struct terms_query query;    /* everything that matches; text is NULL for all notes */
        struct terms_query as_typed; /* without typing mistakes, synonyms and completions of the last word; text is NULL
                                        if that is the same */
        struct alternative *alternatives;
        size_t n_alternatives;
        struct term *items;
        size_t n;
        double n_notes;
        struct step *steps; /* ordered by number of notes */
        size_t n_steps;
        /* Filters of the whole query. */
        const char *above, *below; /* ids, exclusive; "": no bound */
        int64_t min_likes;
        bool only_followed, only_bookmarked;
};

/* Parses a query, without those of its words that consist of punctuation alone. SN_INVALID_ARGUMENT, query_invalid,
 * with the position of what is wrong, if it is no query or nothing is left. */
SN_CHECKED sn_status terms_read(struct rpc_call *c, const char *text, struct query **out);
/* SN_INVALID_ARGUMENT, query_invalid, with the position of an invalid filter, or of the word at which the query has
 * more than QUERY_MAX_TERMS, those of phrases included. Reads the index, and calls user_service
 * for members by name. exact: without typing mistakes, and with the last word as a whole. */
SN_CHECKED sn_status terms_make(struct rpc_call *c, const struct query *query, bool exact, struct terms *out);
/* Quotes a lexeme for a tsquery, with a suffix such as ":*". */
char *terms_quote(struct arena *arena, const char *lexeme, const char *behind);
sn_status terms_fail(struct rpc_call *c, size_t at, const char *wants);

#endif
