/* Finds hashtags and mentions in one pass: at each character it consumes either a token (a hashtag, a mention, a
 * link, an ASCII word) or the character, so that nothing is examined more than a few times, whatever the text. */
#include "services/entities.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "base/text.h"

enum {
        ZWNJ = 0x200C,
        ZWJ = 0x200D,
        KEYCAP = 0x20E3,
};

struct scan {
        struct arena *arena;
        const char *text;
        size_t len;
        size_t pos;
        uint32_t before; /* the code point that ends at pos; 0 at the start */
        bool after_word; /* a letter, digit or '_', and the marks on it, end at pos */
        struct entities *out;
};

/* The code point at a position; 0 at the end (texts hold no NUL). *bytes may be NULL. */
static uint32_t peek(const struct scan *s, size_t at, size_t *bytes)
{
        uint32_t code_point = 0;
        size_t n = at < s->len ? utf8_decode(s->text + at, s->len - at, &code_point) : 0;
        if (bytes != NULL) {
                *bytes = n;
        }
        return code_point;
}

static bool is_ascii_alnum(uint32_t c)
{
        return c < 0x80 && (text_is_letter(c) || text_is_number(c));
}

static bool is_word(uint32_t c)
{
        return c == '_' || text_is_letter(c) || text_is_number(c);
}

static bool is_hash(uint32_t c)
{
        return c == '#' || c == 0xFF03 || c == 0xFE5F;
}

static bool is_at(uint32_t c)
{
        return c == '@' || c == 0xFF20;
}

struct range {
        uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (c >= ranges[i].first && c <= ranges[i].last) {
                        return true;
                }
        }
        return false;
}

#define IN_RANGES(c, ranges) in_ranges((c), (ranges), sizeof(ranges) / sizeof((ranges)[0]))

/* Scripts without spaces between words, and Hangul, whose particles are attached to the preceding word. */
static bool is_spaceless(uint32_t c)
{
        static const struct range ranges[] = {
            {0x0E00, 0x0EFF},   /* Thai, Lao */
            {0x1000, 0x109F},   /* Myanmar */
            {0x1780, 0x17FF},   /* Khmer */
            {0x3005, 0x318F},   /* Kana, Bopomofo, Hangul letters */
            {0x31A0, 0x31FF},   /* Bopomofo and Kana, extended */
            {0x3400, 0x9FFF},   /* Han */
            {0xAC00, 0xD7FF},   /* Hangul syllables */
            {0xF900, 0xFAFF},   /* Han, compatibility */
            {0xFF66, 0xFFDC},   /* half-width Kana and Hangul */
            {0x1B000, 0x1B16F}, /* Kana, supplement */
            {0x20000, 0x3FFFF}, /* Han, extensions */
        };
        return IN_RANGES(c, ranges);
}

/* Scripts whose spelling needs the joiners. */
static bool uses_joiners(uint32_t c)
{
        static const struct range ranges[] = {
            {0x0600, 0x0DFF},   /* Arabic to Sinhala */
            {0x1000, 0x109F},   /* Myanmar */
            {0x1700, 0x1CFF},   /* Khmer, Mongolian, and others of South Asia */
            {0xA800, 0xABFF},   /* Indic, extended */
            {0x10A00, 0x11FFF}, /* Indic and Central Asian, supplementary */
            {0x1E900, 0x1E95F}, /* Adlam */
        };
        return IN_RANGES(c, ranges);
}

/* Signs inside words that are not letters: Catalan ·, Katakana ・, the Japanese wave dash 〜 and its wide form ～,
 * Hebrew ׳ and ״, the Tibetan syllable marks. */
static bool is_connector(uint32_t c)
{
        return c == 0x00B7 || c == 0x30FB || c == 0x301C || c == 0xFF5E || c == 0x05F3 || c == 0x05F4 || c == 0x0F0B ||
               c == 0x0F0C;
}

/* Whether c at the end of `before` continues a hashtag although it is not a word character: only between two
 * characters of one. */
static bool joins(const struct scan *s, uint32_t before, uint32_t c, size_t next_at)
{
        bool joiner = (c == ZWNJ || c == ZWJ) && uses_joiners(before);
        if (!joiner && !(is_connector(c) && !is_connector(before))) {
                return false;
        }
        uint32_t next = peek(s, next_at, NULL);
        return text_is_letter(next) || (joiner && text_is_mark(next));
}

/* Consumes the run of hashtag characters at pos and returns its length; 0 if none can start here. *points counts its
 * code points. */
static size_t scan_hashtag(struct scan *s, size_t *points, bool *has_letter)
{
        size_t start = s->pos, bytes;
        *points = 0;
        *has_letter = false;
        if (!is_word(peek(s, start, NULL))) {
                return 0;
        }
        for (uint32_t c = peek(s, s->pos, &bytes); bytes > 0; c = peek(s, s->pos, &bytes)) {
                bool letter = text_is_letter(c);
                if (!letter && !is_word(c) && !text_is_mark(c) && !joins(s, s->before, c, s->pos + bytes)) {
                        break;
                }
                *has_letter |= letter;
                *points += 1;
                s->before = c;
                s->pos += bytes;
        }
        s->after_word = true;
        return s->pos - start;
}

/* Keeps letters, marks, numbers and '_'; true if anything was removed. */
static bool strip_others(char *text)
{
        size_t len = strlen(text), kept = 0, bytes;
        for (size_t i = 0; i < len; i += bytes) {
                uint32_t c;
                bytes = utf8_decode(text + i, len - i, &c);
                if (is_word(c) || text_is_mark(c)) {
                        memmove(text + kept, text + i, bytes);
                        kept += bytes;
                }
        }
        text[kept] = '\0';
        return kept < len;
}

/* The key of a hashtag's text. NFKC may turn single characters (ﷺ, ½) into ones with spaces and signs, and
 * connectors do not distinguish words: both are removed, and the result is folded again. */
static char *fold_key(struct arena *arena, char *text)
{
        char *key = text_casefold_nfkc(arena, text);
        if (key != NULL && strip_others(key)) {
                key = text_casefold_nfkc(arena, key);
        }
        bool usable = key != NULL && key[0] != '\0' && utf8_length(key, strlen(key)) <= ENTITIES_MAX_HASHTAG_LENGTH;
        return usable ? key : NULL;
}

static bool hashtag_known(const struct entities *out, const char *key)
{
        for (size_t i = 0; i < out->n_hashtags; i++) {
                if (strcmp(out->hashtags[i].key, key) == 0) {
                        return true;
                }
        }
        return false;
}

static void add_hashtag(struct scan *s, size_t start, size_t bytes)
{
        struct arena_mark mark = arena_mark(s->arena);
        char *text = arena_strndup(s->arena, s->text + start, bytes);
        char *key = fold_key(s->arena, text);
        if (key == NULL || hashtag_known(s->out, key)) {
                arena_reset(s->arena, mark);
                return;
        }
        s->out->hashtags[s->out->n_hashtags++] = (struct entity_hashtag){text, key};
}

/* At a hash sign of `sign` bytes. */
static void collect_hashtag(struct scan *s, uint32_t sign, size_t sign_bytes)
{
        bool allowed = !s->after_word && s->before != '&';
        s->pos += sign_bytes;
        s->before = sign;
        s->after_word = false;

        size_t start = s->pos, points;
        bool has_letter;
        size_t bytes = scan_hashtag(s, &points, &has_letter);
        if (allowed && has_letter && points <= ENTITIES_MAX_HASHTAG_LENGTH &&
            s->out->n_hashtags < ENTITIES_MAX_HASHTAGS) {
                add_hashtag(s, start, bytes);
        }
}

static void add_mention(struct scan *s, size_t start, size_t bytes)
{
        for (size_t i = 0; i < s->out->n_mentions; i++) {
                const char *known = s->out->mentions[i];
                if (strlen(known) == bytes && strncasecmp(known, s->text + start, bytes) == 0) {
                        return;
                }
        }
        s->out->mentions[s->out->n_mentions++] = arena_strndup(s->arena, s->text + start, bytes);
}

/* Whether a username that ends at pos is complete, and of this network. */
static bool mention_ends(const struct scan *s, bool touches_word)
{
        size_t bytes;
        uint32_t next = peek(s, s->pos, &bytes);
        if (is_at(next) || ((text_is_letter(next) || text_is_number(next)) && !is_spaceless(next)) ||
            text_is_mark(next)) {
                return false;
        }
        bool host = next == '.' && is_ascii_alnum(peek(s, s->pos + bytes, NULL));
        return !(touches_word && host); /* "名前@example.com" */
}

/* At an at sign of `sign` bytes. */
static void collect_mention(struct scan *s, uint32_t sign, size_t sign_bytes)
{
        bool touches_word = s->after_word && is_spaceless(s->before);
        bool allowed = (!s->after_word || touches_word) && !is_at(s->before);
        s->pos += sign_bytes;
        s->before = sign;
        s->after_word = false;

        size_t start = s->pos;
        while (s->pos < s->len && (is_ascii_alnum((uint8_t)s->text[s->pos]) || s->text[s->pos] == '_')) {
                s->before = (uint8_t)s->text[s->pos++];
                s->after_word = true;
        }
        size_t bytes = s->pos - start;
        if (allowed && bytes > 0 && bytes <= ENTITIES_MAX_USERNAME_LENGTH &&
            s->out->n_mentions < ENTITIES_MAX_MENTIONS && mention_ends(s, touches_word)) {
                add_mention(s, start, bytes);
        }
}

/* White space, characters that links do not contain unescaped, and punctuation of scripts that put no space after a
 * link. */
static bool ends_link(uint32_t c)
{
        static const struct range signs[] = {
            {'"', '"'},       {'<', '<'}, {'>', '>'}, {'`', '`'}, {0x201C, 0x201F}, /* “ ” */
            {0x3001, 0x3002},                                                       /* 、 。 */
            {0x3008, 0x3011},                                                       /* 〈 to 】 */
            {0xFF01, 0xFF01},                                                       /* ！ */
            {0xFF03, 0xFF03},                                                       /* ＃ */
            {0xFF08, 0xFF09},                                                       /* （ ） */
            {0xFF0C, 0xFF0C},                                                       /* ， */
            {0xFF1A, 0xFF1B},                                                       /* ： ； */
            {0xFF1F, 0xFF20},                                                       /* ？ ＠ */
        };
        return text_is_space(c) || IN_RANGES(c, signs);
}

/* Skips the rest of a link: up to white space, or to a bracket that was opened before the link ("(see
 * https://example.org)"). Trailing punctuation does not matter here: it starts no entity. */
static void skip_link(struct scan *s)
{
        int round = 0, square = 0;
        size_t bytes;
        for (uint32_t c = peek(s, s->pos, &bytes); bytes > 0 && !ends_link(c); c = peek(s, s->pos, &bytes)) {
                round += (c == '(') - (c == ')');
                square += (c == '[') - (c == ']');
                if (round < 0 || square < 0) {
                        break;
                }
                s->before = c;
                s->pos += bytes;
        }
        s->after_word = is_word(s->before);
}

static bool starts_at(const struct scan *s, size_t at, const char *prefix)
{
        size_t n = strlen(prefix);
        return s->len - at >= n && strncasecmp(s->text + at, prefix, n) == 0;
}

/* "example.org" before '/' or a port: whether its last label is a top-level domain. */
static bool looks_like_host(const struct scan *s, size_t start)
{
        size_t label = s->pos;
        while (label > start && text_is_letter((uint8_t)s->text[label - 1])) {
                label--;
        }
        bool top_level = s->pos - label >= 2 && label > start + 1 && s->text[label - 1] == '.';
        uint32_t next = peek(s, s->pos, NULL);
        return top_level && (next == '/' || (next == ':' && text_is_number(peek(s, s->pos + 1, NULL))));
}

/* At an ASCII letter or digit: consumes the run of letters, digits, '.' and '-', including a link that it starts. */
static void skip_ascii(struct scan *s)
{
        size_t start = s->pos;
        while (s->pos < s->len &&
               (is_ascii_alnum((uint8_t)s->text[s->pos]) || s->text[s->pos] == '.' || s->text[s->pos] == '-')) {
                s->before = (uint8_t)s->text[s->pos++];
        }
        s->after_word = is_ascii_alnum(s->before);
        bool www = starts_at(s, start, "www.") && s->pos - start > strlen("www.");
        if (www || starts_at(s, s->pos, "://") || looks_like_host(s, start)) {
                skip_link(s);
        }
}

static void scan_character(struct scan *s, uint32_t c, size_t bytes)
{
        if (is_word(c)) {
                s->after_word = true;
        } else if (c == KEYCAP || !(text_is_mark(c) || c == ZWNJ || c == ZWJ)) {
                s->after_word = false;
        } /* otherwise a mark or joiner, which belongs to the preceding character ("❤️" is not a word, a decomposed
             "é" is) */
        s->before = c;
        s->pos += bytes;
}

void entities_extract(struct arena *arena, const char *text, struct entities *out)
{
        *out = (struct entities){0};
        struct scan s = {.arena = arena, .text = text, .len = strlen(text), .out = out};
        if (!utf8_valid(text, s.len)) {
                return; /* cannot come from outside: the contract's scan rejects such text */
        }
        out->hashtags = ARENA_ARRAY(arena, struct entity_hashtag, ENTITIES_MAX_HASHTAGS);
        out->mentions = ARENA_ARRAY(arena, char *, ENTITIES_MAX_MENTIONS);
        while (s.pos < s.len) {
                size_t bytes;
                uint32_t c = peek(&s, s.pos, &bytes);
                if (is_hash(c)) {
                        collect_hashtag(&s, c, bytes);
                } else if (is_at(c)) {
                        collect_mention(&s, c, bytes);
                } else if (is_ascii_alnum(c)) {
                        skip_ascii(&s);
                } else {
                        scan_character(&s, c, bytes);
                }
        }
}

/* What keeps a scanned tag from being a hashtag; NULL: nothing. */
static const char *hashtag_problem(const struct scan *s, size_t points, bool has_letter)
{
        size_t bytes;
        uint32_t rest = peek(s, s->pos, &bytes);
        if (bytes > 0) {
                return text_is_space(rest)
                           ? "must not contain white space: a hashtag is one word"
                           : arena_printf(s->arena, "must not contain \"%.*s\": a hashtag has letters, numbers and '_'",
                                          (int)bytes, s->text + s->pos);
        }
        if (points > ENTITIES_MAX_HASHTAG_LENGTH) {
                return "must have at most 100 characters";
        }
        return has_letter ? NULL : "must contain a letter";
}

char *hashtag_key(struct arena *arena, const char *tag, const char **problem)
{
        struct scan s = {.arena = arena, .text = tag, .len = strlen(tag)};
        *problem = "must be valid UTF-8";
        if (!utf8_valid(tag, s.len)) {
                return NULL;
        }
        size_t sign_bytes;
        if (is_hash(peek(&s, 0, &sign_bytes))) {
                s.pos = sign_bytes;
        }
        size_t start = s.pos, points;
        bool has_letter;
        size_t bytes = scan_hashtag(&s, &points, &has_letter);
        *problem = hashtag_problem(&s, points, has_letter);
        if (*problem != NULL) {
                return NULL;
        }
        char *key = fold_key(arena, arena_strndup(arena, tag + start, bytes));
        *problem = key == NULL ? "must be a word that can be seen, of at most 100 characters" : NULL;
        return key;
}
