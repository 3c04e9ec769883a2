/* Splits a text in a single pass, by the class of each character. */
#include "services/search/lexemes.h"

#include <string.h>
#include "base/buf.h"
#include "base/str.h"
#include "base/text.h"
#include "services/search/scripts.h"

enum { LEXEMES_MAX = 12000, VECTOR_MAX_BYTES = 1024 * 1024 };

struct reader {
        struct arena *arena;
        struct lexemes *out;
        const char *text;
        size_t len, at, index; /* at: in bytes; index: in code points */
};

struct place {
        size_t at, index;
};

static struct lexeme *add(struct arena *arena, struct lexemes *out)
{
        if (out->n == LEXEMES_MAX) {
                return NULL;
        }
        if (out->n == out->room) {
                size_t room = out->room == 0 ? 64 : out->room * 2;
                struct lexeme *items = ARENA_ARRAY(arena, struct lexeme, room);

                if (out->n > 0) {
                        memcpy(items, out->items, out->n * sizeof(*items));
                }
                out->items = items;
                out->room = room;
        }
        return &out->items[out->n++];
}

void lexemes_add_sign(struct arena *arena, struct lexemes *lexemes, const char *sign)
{
        struct lexeme *lexeme = add(arena, lexemes);

        if (lexeme != NULL) {
                *lexeme = (struct lexeme){.text = arena_strdup(arena, sign), .word = (char *)sign, .kind = LEXEME_SIGN};
        }
}

static uint32_t next_character(struct reader *r, size_t *n)
{
        uint32_t c = 0;

        *n = r->at < r->len ? utf8_decode(r->text + r->at, r->len - r->at, &c) : 0;
        return c;
}

static void step_over(struct reader *r, size_t n)
{
        r->at += n;
        r->index++;
}

char *lexeme_fold(struct arena *arena, const char *word)
{
        char *folded = text_casefold_nfkc(arena, word);
        uint32_t c = 0;

        if (folded == NULL || folded[0] == '\0') {
                return folded != NULL ? folded : arena_strdup(arena, "");
        }
        (void)utf8_decode(folded, strlen(folded), &c);
        return script_folds_accents(script_of(c)) ? text_without_marks(arena, folded) : folded;
}

/* Adds the text between two places as a lexeme, unless it is too long. */
static void add_word(struct reader *r, struct place from, struct place to, enum lexeme_kind kind)
{
        char *word = arena_strndup(r->arena, r->text + from.at, to.at - from.at);
        char *text = lexeme_fold(r->arena, word);
        struct lexeme *lexeme = text[0] != '\0' && strlen(text) <= LEXEME_MAX_BYTES ? add(r->arena, r->out) : NULL;

        if (lexeme != NULL) {
                *lexeme = (struct lexeme){.text = text,
                                          .word = kind == LEXEME_WORD ? text_casefold_nfkc(r->arena, word) : text,
                                          .kind = kind,
                                          .start = from.index,
                                          .length = to.index - from.index,
                                          .position = ++r->out->n_words};
        }
}

/* Whether it attaches to the character before. Includes the voicing marks of half-width kana, which are not combining
 * marks. */
static bool is_attached(uint32_t c)
{
        return text_is_mark(c) || c == 0xFF9E || c == 0xFF9F;
}

/* Steps over a character with its marks. */
static void step_whole(struct reader *r, size_t n)
{
        do {
                step_over(r, n);
        } while (is_attached(next_character(r, &n)) && n > 0);
}

/* Reads a run of a script without spaces as pairs: each character with the next one, and the last one alone. */
static void read_pairs(struct reader *r)
{
        struct place before = {r->at, r->index};
        size_t n, count = 0;

        for (uint32_t c = next_character(r, &n); n > 0 && script_has_no_spaces(c); c = next_character(r, &n)) {
                struct place here = {r->at, r->index};

                step_whole(r, n);
                if (++count > 1) {
                        add_word(r, before, (struct place){r->at, r->index}, LEXEME_PAIR);
                }
                before = here;
        }
        add_word(r, before, (struct place){r->at, r->index}, LEXEME_PAIR);
}

static bool is_inside(uint32_t c)
{
        return !script_has_no_spaces(c) &&
               (text_is_letter(c) || text_is_mark(c) || text_is_number(c) || c == '_' || c == 0x200C || c == 0x200D);
}

static void read_word(struct reader *r)
{
        struct place from = {r->at, r->index};
        bool letters = false;
        size_t n;

        for (uint32_t c = next_character(r, &n); n > 0 && is_inside(c); c = next_character(r, &n)) {
                letters = letters || !text_is_number(c);
                step_over(r, n);
        }
        add_word(r, from, (struct place){r->at, r->index}, letters ? LEXEME_WORD : LEXEME_NUMBER);
}

static bool is_flag(uint32_t c)
{
        return c >= 0x1F1E6 && c <= 0x1F1FF;
}

/* Flags consist of two letters. Skin tones and variation selectors are ignored. */
static void read_emoji(struct reader *r, uint32_t c, size_t n)
{
        struct place from = {r->at, r->index};
        size_t more = 0;

        step_over(r, n);
        if (is_flag(c) && is_flag(next_character(r, &more))) {
                step_over(r, more);
        }
        add_word(r, from, (struct place){r->at, r->index}, LEXEME_EMOJI);
}

/* ---- Links ---- */

static bool is_of_host(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* Adds the host and each parent domain except the last label. */
static void add_hosts(struct reader *r, struct str host)
{
        char *sign = arena_printf(r->arena, "/%.*s", (int)host.len, host.ptr);

        for (size_t i = 0; sign[i] != '\0'; i++) {
                sign[i] = (char)(sign[i] >= 'A' && sign[i] <= 'Z' ? sign[i] | 0x20 : sign[i]);
        }
        while (strchr(sign, '.') != NULL) {
                lexemes_add_sign(r->arena, r->out, sign);
                sign = arena_printf(r->arena, "/%s", strchr(sign, '.') + 1);
        }
}

static bool ends_link(char c)
{
        return (unsigned char)c <= ' ' || c == '#' || c == '"' || c == '<' || c == '>' || c == '|' || c == '\\' ||
               c == '`';
}

static bool starts_nocase(struct str text, struct str start)
{
        return text.len >= start.len && str_equal_nocase((struct str){text.ptr, start.len}, start);
}

char *lexeme_link(struct arena *arena, struct str text)
{
        bool secure = starts_nocase(text, STR("https://")), link = secure || starts_nocase(text, STR("http://"));
        size_t scheme = secure ? 8 : 7, len = scheme, host;

        while (link && len < text.len && is_of_host(text.ptr[len])) {
                len++;
        }
        host = len;
        while (link && len < text.len && !ends_link(text.ptr[len])) {
                len++;
        }
        while (len > host && strchr(".,;:!?')]*_~/", text.ptr[len - 1]) != NULL) {
                len--;
        }
        if (!link || host == scheme || len >= LEXEME_MAX_BYTES) {
                return NULL;
        }
        char *lexeme = arena_printf(arena, "/%.*s", (int)len, text.ptr);
        for (size_t i = 1; i <= host; i++) {
                lexeme[i] = (char)(lexeme[i] >= 'A' && lexeme[i] <= 'Z' ? lexeme[i] | 0x20 : lexeme[i]);
        }
        return lexeme;
}

/* Adds a link. at: its "://", which follows the scheme. */
static void add_link(struct reader *r, const char *at)
{
        size_t before = (size_t)(at - r->text), scheme = before >= 5 && (at[-1] | 0x20) == 's' ? 5 : 4;
        char *link = before >= scheme ? lexeme_link(r->arena, str_of(at - scheme)) : NULL;

        if (link != NULL) {
                lexemes_add_sign(r->arena, r->out, link);
        }
}

static void read_links(struct reader *r)
{
        const char *at = r->text;
        bool any = false;

        while ((at = strstr(at, "://")) != NULL) {
                struct str host = {at + 3, 0};

                while (is_of_host(host.ptr[host.len])) {
                        host.len++;
                }
                while (host.len > 0 && host.ptr[host.len - 1] == '.') {
                        host.len--;
                }
                add_link(r, at);
                at += 3;
                if (host.len > 0 && host.len <= 253 && host.ptr - r->text > 4) {
                        add_hosts(r, host);
                        any = true;
                }
        }
        if (any) {
                lexemes_add_sign(r->arena, r->out, ":has:link");
        }
}

struct lexemes lexemes_of(struct arena *arena, const char *text)
{
        struct lexemes out = {0};
        struct reader r = {.arena = arena, .out = &out, .text = text, .len = strlen(text)};
        size_t n;

        for (uint32_t c = next_character(&r, &n); n > 0; c = next_character(&r, &n)) {
                if (script_has_no_spaces(c) && !text_is_mark(c) && (text_is_letter(c) || text_is_number(c))) {
                        read_pairs(&r);
                } else if (is_inside(c) && !text_is_mark(c) && c != 0x200C && c != 0x200D) {
                        read_word(&r);
                } else if (script_is_emoji(c)) {
                        read_emoji(&r, c, n);
                } else {
                        step_over(&r, n);
                }
        }
        read_links(&r);
        return out;
}

/* ---- For PostgreSQL ---- */

static void append_quoted(struct buf *out, const char *text)
{
        buf_append_char(out, '\'');
        for (; *text != '\0'; text++) {
                if (*text == '\'' || *text == '\\') {
                        buf_append_char(out, *text);
                }
                buf_append_char(out, *text);
        }
        buf_append_char(out, '\'');
}

char *lexemes_vector(struct arena *arena, const struct lexemes *lexemes)
{
        struct buf out;
        char *text;

        buf_init(&out, VECTOR_MAX_BYTES);
        buf_append_c(&out, "");
        for (size_t i = 0; i < lexemes->n && out.len < VECTOR_MAX_BYTES / 2; i++) {
                append_quoted(&out, lexemes->items[i].text);
                if (lexemes->items[i].position > 0) {
                        buf_printf(&out, ":%zuA", lexemes->items[i].position);
                }
                buf_append_char(&out, ' ');
        }
        text = arena_strndup(arena, out.data != NULL ? out.data : "", out.len);
        buf_free(&out);
        return text;
}
