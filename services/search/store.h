/* The SQL of search_service. */
#ifndef SERVICES_SEARCH_STORE_H
#define SERVICES_SEARCH_STORE_H

#include "db/db.h"
#include "services/search/lexemes.h"
#include "services/search/search.rpc.h"
#include "services/search/search_rows.rpc.h"

/* ---- The index (store_index.c) ---- */

struct indexed_note {
        const Note__IndexedNote *note;
        const char *vector; /* of lexemes.h */
        size_t length;
};

/* Each note once. An older version changes nothing. */
SN_CHECKED sn_status store_index_notes(struct db_tx *tx, const struct indexed_note *notes, size_t n);
/* By how many notes each word is in: what has come since it was last counted. */
SN_CHECKED sn_status store_merge_words(struct db_tx *tx);
/* Of so many newest and most engaged notes, which is the last. */
SN_CHECKED sn_status store_make_steps(struct db_tx *tx);
SN_CHECKED sn_status store_unindex_notes(struct db_tx *tx, char **ids, size_t n);
SN_CHECKED sn_status store_count_note(struct db_tx *tx, const char *id, const Note__NoteCounts *counts);
SN_CHECKED sn_status store_index_member(struct db_tx *tx, const User__IndexedUser *user, const char *username_key,
                                        const char *names);
/* A member who is hidden from everybody. */
SN_CHECKED sn_status store_hide_member(struct db_tx *tx, const char *id);
SN_CHECKED sn_status store_erase_member(struct db_tx *tx, const char *id);

/* ---- Finding (store_find.c) ---- */

struct word_asked {
        const char *word; /* with its accents; "": it has no other forms */
        const char *lexeme;
        bool typos, synonyms, starts; /* starts: count what begins so, too (kind p) */
};

/* Lexemes that are forms of words, and the languages in which synonyms have forms. */
struct forms_asked {
        int64_t *places; /* of the words, from 1 */
        char **lexemes;
        size_t n;
        char **languages; /* codes */
        size_t n_languages;
};

/* The lexemes of the index that the words may stand for, and always the words themselves, by place. */
SN_CHECKED sn_status store_alternatives(struct db_tx *tx, const struct word_asked *words, size_t n_words,
                                        const struct forms_asked *forms, size_t *n, SearchRows__Word ***rows);

struct candidates_asked {
        const char *query; /* a tsquery; NULL: all notes */
        bool few;          /* notes match: read them all */
        const char *viewer;
        char **followed;
        size_t n_followed;
        bool only_followed;
        char **only; /* notes; NULL: all */
        size_t n_only;
        const char *above, *before; /* ids, exclusive; "": no bound */
        const char *below;          /* where to go on, in the order that is asked for; "": from the beginning */
        int64_t min_likes;
        bool by_engagement;
        int64_t least_engaged; /* from ten on: only what about so many reacted to, or more */
        const int64_t *spans;  /* of hours, days and 32 days (search_spans of the schema): only what was written then */
        size_t n_spans;        /* 0: at any time */
        int64_t most_engaged;  /* with below, by engagement: where to go on */
        size_t room;
};

SN_CHECKED sn_status store_candidates(struct db_tx *tx, const struct candidates_asked *asked, size_t *n,
                                      SearchRows__Candidate ***rows);
/* Of these notes how many have what, for each kind the most frequent values first. */
SN_CHECKED sn_status store_facets(struct db_tx *tx, char **ids, size_t n_ids, const int64_t *kinds, size_t n_kinds,
                                  size_t *n, SearchRows__FacetCount ***rows);
SN_CHECKED sn_status store_find_members(struct db_tx *tx, const char *text, size_t limit, size_t *n,
                                        SearchRows__Member ***rows);
/* Hashtags of notes that all may see, those of most notes first: "#tag". */
SN_CHECKED sn_status store_find_hashtags(struct db_tx *tx, const char *start, size_t limit, size_t *n,
                                         SearchRows__Word ***rows);

#endif
