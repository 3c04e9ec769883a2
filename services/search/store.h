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
        const char *vector; /* from lexemes.h */
        size_t length;
};

/* Writes distinct notes. An older version than the stored one changes nothing. */
SN_CHECKED sn_status store_index_notes(struct db_tx *tx, const struct indexed_note *notes, size_t n);
/* Updates the number of notes per word with the changes since the last time. */
SN_CHECKED sn_status store_merge_words(struct db_tx *tx);
/* Refreshes the boundaries of the newest and most engaged 16, 32, 64 … notes. */
SN_CHECKED sn_status store_make_steps(struct db_tx *tx);
SN_CHECKED sn_status store_unindex_notes(struct db_tx *tx, char **ids, size_t n);
SN_CHECKED sn_status store_count_note(struct db_tx *tx, const char *id, const Note__NoteCounts *counts);
SN_CHECKED sn_status store_index_member(struct db_tx *tx, const User__IndexedUser *user, const char *username_key,
                                        const char *names);
/* Hides a member from everybody. */
SN_CHECKED sn_status store_hide_member(struct db_tx *tx, const char *id);
SN_CHECKED sn_status store_erase_member(struct db_tx *tx, const char *id);

/* ---- Finding (store_find.c) ---- */

struct word_asked {
        const char *word; /* with accents; "": it has no other forms */
        const char *lexeme;
        bool typos, synonyms, starts; /* starts: also count words with this prefix (kind p) */
};

/* Lexemes that are forms of words, and the languages in which synonyms have forms. */
struct forms_asked {
        int64_t *places; /* indices of the words, from 1 */
        char **lexemes;
        size_t n;
        char **languages; /* codes */
        size_t n_languages;
};

/* The words with a prefix are read one by one if there are at most so many. */
enum { STORE_PREFIX_WORDS = 32 };

/* The lexemes of the index that the words may stand for, always including the words themselves, ordered by place. */
SN_CHECKED sn_status store_alternatives(struct db_tx *tx, const struct word_asked *words, size_t n_words,
                                        const struct forms_asked *forms, size_t *n, SearchRows__Word ***rows);

/* Words with about two errors more or less than the one that was typed, as alternatives of the word at this place. */
SN_CHECKED sn_status store_alike(struct db_tx *tx, size_t place, const char *typed, size_t *n,
                                 SearchRows__Word ***rows);

struct candidates_asked {
        const char *query; /* a tsquery, which is looked up; NULL: all notes */
        const char *rest;  /* another one, compared with each note; NULL: none */
        bool few;          /* few notes match: read them all */
        const char *viewer;
        char **followed;
        size_t n_followed;
        bool only_followed;
        char **only; /* only these notes; NULL: all */
        size_t n_only;
        const char *above, *before; /* ids, exclusive; "": no bound */
        const char *below;          /* where to continue, in the requested order; "": at the beginning */
        int64_t min_likes;
        bool by_engagement;
        int64_t least_engaged; /* if at least ten: only notes with about as many reactions or more */
        const int64_t *spans;  /* of hours, days and 32 days (search_spans of the schema): only notes written then */
        size_t n_spans;        /* 0: any time */
        int64_t most_engaged;  /* by engagement, with below: where to continue */
        size_t room;
        size_t enough; /* so many suffice if the first ones found are not fewer; 0: none but room */
};

SN_CHECKED sn_status store_candidates(struct db_tx *tx, const struct candidates_asked *asked, size_t *n,
                                      SearchRows__Candidate ***rows);
/* Counts the values of the notes for each kind, most frequent first. */
SN_CHECKED sn_status store_facets(struct db_tx *tx, char **ids, size_t n_ids, const int64_t *kinds, size_t n_kinds,
                                  size_t *n, SearchRows__FacetCount ***rows);
SN_CHECKED sn_status store_find_members(struct db_tx *tx, const char *text, size_t limit, size_t *n,
                                        SearchRows__Member ***rows);
/* Hashtags ("#tag") of public notes, most frequent first. */
SN_CHECKED sn_status store_find_hashtags(struct db_tx *tx, const char *start, size_t limit, size_t *n,
                                         SearchRows__Word ***rows);

#endif
