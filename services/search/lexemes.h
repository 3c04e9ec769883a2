/* Splits texts into the lexemes that they are indexed by. Pure.
 *
 * The lexeme of a word is folded: case, width and composition (NFKC casefold), and accents in scripts where they only
 * modify a letter. Scripts without spaces (Han, kana, Hangul, Thai, Lao, Khmer, Burmese) are split into pairs of
 * neighbours, and the last character of each run alone. An emoji is a word. Other lexemes have a prefix:
 *
 *   #tag   a hashtag          ~en:run   a stem (stems.h)      /example.org   a host, and each parent domain
 *   ~&of the   two adjacent frequent words (stems.h)     /https://example.org/page   a link
 *   :from:ID  :to:ID  :mentions:ID  :lang:de  :has:link  :has:media  :has:image  :is:comment */
#ifndef SERVICES_SEARCH_LEXEMES_H
#define SERVICES_SEARCH_LEXEMES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/str.h"

enum lexeme_kind { LEXEME_WORD, LEXEME_PAIR, LEXEME_EMOJI, LEXEME_NUMBER, LEXEME_SIGN };

/* The longest folded word, without its prefix. Longer ones are not indexed. PostgreSQL's own limit is 2,046. */
enum { LEXEME_MAX_BYTES = 400 };

struct lexeme {
        char *text;
        char *word; /* for LEXEME_WORD: with accents, for stemming; otherwise the text */
        enum lexeme_kind kind;
        size_t start, length; /* in the text, in code points */
        size_t position;      /* of words, from 1; 0 if it has none */
};

struct lexemes {
        struct lexeme *items;
        size_t n, room;
        size_t n_words; /* lexemes with a position */
};

/* text: UTF-8 of at most 5,000 characters. Returns at most 12,000 lexemes. */
struct lexemes lexemes_of(struct arena *arena, const char *text);
void lexemes_add_sign(struct arena *arena, struct lexemes *lexemes, const char *sign);
/* The lexeme of a link: scheme and host in lower case, without the fragment and surrounding punctuation. NULL if it is
 * not a link or too long. */
char *lexeme_link(struct arena *arena, struct str text);
/* A word without case, width and accents, for comparison. */
char *lexeme_fold(struct arena *arena, const char *word);
/* In PostgreSQL's input format of a tsvector: 'word':1A. */
char *lexemes_vector(struct arena *arena, const struct lexemes *lexemes);

#endif
