/* Splits texts into the lexemes by which they are found. Pure.
 *
 * A lexeme of a word is folded: case, width and composition (NFKC casefold), and in scripts where they only colour a
 * letter, accents. Words of scripts without spaces (Han, kana, Hangul, Thai, Lao, Khmer, Burmese) are pairs of
 * neighbours, and of each run the last character alone. An emoji is a word. Other lexemes have a sign before them:
 *
 *   #tag   a hashtag          ~en:run   a stem (stems.h)      /example.org   a host, and each above it
 *   /https://example.org/page   a link
 *   :from:ID  :to:ID  :mentions:ID  :lang:de  :has:link  :has:media  :has:image  :is:comment */
#ifndef SERVICES_SEARCH_LEXEMES_H
#define SERVICES_SEARCH_LEXEMES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/str.h"

enum lexeme_kind { LEXEME_WORD, LEXEME_PAIR, LEXEME_EMOJI, LEXEME_NUMBER, LEXEME_SIGN };

/* The longest folded word, without its sign: longer ones are not indexed. PostgreSQL's own limit is 2,046. */
enum { LEXEME_MAX_BYTES = 400 };

struct lexeme {
        char *text;
        char *word; /* of LEXEME_WORD: with its accents, for stems; otherwise the text */
        enum lexeme_kind kind;
        size_t start, length; /* where it stands, in code points */
        size_t position;      /* from 1, of words; 0: it has none */
};

struct lexemes {
        struct lexeme *items;
        size_t n, room;
        size_t n_words; /* with a position */
};

/* At most 12,000 of a text: no text has more than 5,000 characters. UTF-8. */
struct lexemes lexemes_of(struct arena *arena, const char *text);
void lexemes_add_sign(struct arena *arena, struct lexemes *lexemes, const char *sign);
/* The lexeme of a link: scheme and host in lower case, without what stands behind '#', or around it in a text. NULL: it
 * is no link, or too long. */
char *lexeme_link(struct arena *arena, struct str text);
/* A word as it is compared: without case, width and accents. */
char *lexeme_fold(struct arena *arena, const char *word);
/* As PostgreSQL reads a tsvector: 'word':1A. */
char *lexemes_vector(struct arena *arena, const struct lexemes *lexemes);

#endif
