/* A recursive-descent parser, with one function per rule of the grammar in docs/search.md. */
#include "services/search/query.h"

#include <string.h>
#include "base/str.h"
#include "base/text.h"

struct parser {
        struct arena *arena;
        struct str rest;
        size_t at; /* position of rest, in code points from 1 */
        size_t depth, n_terms;
        struct query_error *error;
};

static const char *const filter_names[FILTER_COUNT] = {
    [FILTER_FROM] = "from", [FILTER_TO] = "to",       [FILTER_MENTIONS] = "mentions",   [FILTER_LANG] = "lang",
    [FILTER_HAS] = "has",   [FILTER_SINCE] = "since", [FILTER_UNTIL] = "until",         [FILTER_DURING] = "during",
    [FILTER_IN] = "in",     [FILTER_IS] = "is",       [FILTER_MIN_LIKES] = "min_likes", [FILTER_TAG] = "tag",
    [FILTER_URL] = "url",
};

const char *query_filter_name(enum query_filter filter)
{
        return filter_names[filter];
}

static struct query *fail_at(struct parser *p, size_t at, const char *wants)
{
        if (p->error->wants == NULL) {
                *p->error = (struct query_error){.at = at, .wants = wants};
        }
        return NULL;
}

/* ---- Characters ---- */

static uint32_t peek_code_point(const struct parser *p, size_t *len)
{
        uint32_t c = 0;

        *len = p->rest.len > 0 ? utf8_decode(p->rest.ptr, p->rest.len, &c) : 0;
        return c;
}

static void skip_code_point(struct parser *p, size_t len)
{
        p->rest = (struct str){p->rest.ptr + len, p->rest.len - len};
        p->at++;
}

static void skip_spaces(struct parser *p)
{
        size_t len;

        while (text_is_space(peek_code_point(p, &len)) && len > 0) {
                skip_code_point(p, len);
        }
}

static bool take(struct parser *p, char c)
{
        bool is = p->rest.len > 0 && p->rest.ptr[0] == c;

        if (is) {
                skip_code_point(p, 1);
        }
        return is;
}

static bool ends_word(uint32_t c)
{
        return text_is_space(c) || c == '(' || c == ')' || c == '"';
}

/* The text up to a space, a parenthesis or a quotation mark. */
static struct str peek_word(const struct parser *p)
{
        struct str word = {p->rest.ptr, 0};

        while (word.len < p->rest.len) {
                uint32_t c = 0;
                size_t len = utf8_decode(word.ptr + word.len, p->rest.len - word.len, &c);

                if (ends_word(c)) {
                        break;
                }
                word.len += len;
        }
        return word;
}

static void skip_bytes(struct parser *p, size_t len)
{
        p->at += utf8_length(p->rest.ptr, len);
        p->rest = (struct str){p->rest.ptr + len, p->rest.len - len};
}

/* ---- Leaves ---- */

static struct query *new_leaf(struct parser *p, enum query_kind kind, struct str text, size_t at)
{
        struct query *query = ARENA_NEW(p->arena, struct query);

        if (++p->n_terms > QUERY_MAX_TERMS) {
                return fail_at(p, at, "the end: a query has at most 50 words");
        }
        *query = (struct query){.kind = kind, .text = str_dup(p->arena, text), .at = at};
        return query;
}

/* phrase = '"' anything but quotation marks '"' */
static bool parse_quoted(struct parser *p, struct str *text)
{
        const char *end = memchr(p->rest.ptr, '"', p->rest.len);

        if (end == NULL) {
                fail_at(p, p->at + utf8_length(p->rest.ptr, p->rest.len), "a closing quotation mark");
                return false;
        }
        *text = text_trim((struct str){p->rest.ptr, (size_t)(end - p->rest.ptr)});
        if (text->len == 0) {
                fail_at(p, p->at, "a word");
                return false;
        }
        skip_bytes(p, (size_t)(end - p->rest.ptr) + 1);
        return true;
}

static struct query *parse_phrase(struct parser *p)
{
        size_t at = p->at - 1;
        struct str text;

        return parse_quoted(p, &text) ? new_leaf(p, QUERY_PHRASE, text, at) : NULL;
}

static bool filter_of(struct str word, enum query_filter *filter, size_t *len)
{
        const char *colon = memchr(word.ptr, ':', word.len);

        for (size_t i = 0; colon != NULL && i < FILTER_COUNT; i++) {
                if (str_equal_nocase((struct str){word.ptr, (size_t)(colon - word.ptr)}, str_of(filter_names[i]))) {
                        *filter = i;
                        *len = (size_t)(colon - word.ptr) + 1;
                        return true;
                }
        }
        return false;
}

/* filter = name ":" ( word | phrase ) */
static struct query *parse_filter(struct parser *p, enum query_filter filter, size_t len)
{
        size_t at = p->at;
        struct str value;

        skip_bytes(p, len);
        if (take(p, '"')) {
                if (!parse_quoted(p, &value)) {
                        return NULL;
                }
        } else {
                value = peek_word(p);
                skip_bytes(p, value.len);
        }
        if (value.len == 0) {
                return fail_at(p, p->at, "a value right after the colon");
        }
        struct query *query = new_leaf(p, QUERY_FILTER, value, at);
        if (query != NULL) {
                query->filter = filter;
        }
        return query;
}

/* term = filter | word [ "*" ] */
static struct query *parse_term(struct parser *p)
{
        struct str word = peek_word(p);
        enum query_filter which = FILTER_COUNT;
        size_t at = p->at, len = 0;

        if (filter_of(word, &which, &len)) {
                return parse_filter(p, which, len);
        }
        if (word.len == 0 || str_equal(word, STR("OR"))) {
                return fail_at(p, at, "a word");
        }
        skip_bytes(p, word.len);
        bool prefix = word.len > 1 && word.ptr[word.len - 1] == '*';
        word.len -= prefix;
        return new_leaf(p, prefix ? QUERY_PREFIX : QUERY_WORD, word, at);
}

/* ---- Rules ---- */

static struct query *parse_either(struct parser *p);

static struct query *parse_group(struct parser *p)
{
        size_t at = p->at - 1;

        if (++p->depth > QUERY_MAX_DEPTH) {
                return fail_at(p, at, "no more than ten nested groups");
        }
        struct query *query = parse_either(p);
        p->depth--;
        if (query == NULL) {
                return NULL;
        }
        skip_spaces(p);
        return take(p, ')') ? query : fail_at(p, p->at, "a closing parenthesis");
}

/* primary = "(" either ")" | phrase | term */
static struct query *parse_primary(struct parser *p)
{
        if (take(p, '(')) {
                return parse_group(p);
        }
        return take(p, '"') ? parse_phrase(p) : parse_term(p);
}

/* unary = [ "-" ] primary; a lone hyphen is a word. */
static struct query *parse_unary(struct parser *p)
{
        struct query *query, *child;

        if (p->rest.len < 2 || p->rest.ptr[0] != '-' || text_is_space((unsigned char)p->rest.ptr[1]) ||
            p->rest.ptr[1] == ')' || p->rest.ptr[1] == '-') {
                return parse_primary(p);
        }
        skip_code_point(p, 1);
        child = parse_primary(p);
        if (child == NULL) {
                return NULL;
        }
        if (child->kind == QUERY_NOT) {
                return child->children[0];
        }
        query = ARENA_NEW(p->arena, struct query);
        *query = (struct query){.kind = QUERY_NOT, .children = ARENA_ARRAY(p->arena, struct query *, 1), .n = 1};
        query->children[0] = child;
        return query;
}

/* Makes a node. A single child is returned itself, and children of the same kind are merged. */
static struct query *join_nodes(struct parser *p, enum query_kind kind, struct query **parts, size_t n)
{
        struct query *query = ARENA_NEW(p->arena, struct query);
        size_t room = 0;

        if (n == 1) {
                return parts[0];
        }
        for (size_t i = 0; i < n; i++) {
                room += parts[i]->kind == kind ? parts[i]->n : 1;
        }
        *query = (struct query){.kind = kind, .children = ARENA_ARRAY(p->arena, struct query *, room)};
        for (size_t i = 0; i < n; i++) {
                size_t n_more = parts[i]->kind == kind ? parts[i]->n : 1;

                memcpy(query->children + query->n, parts[i]->kind == kind ? parts[i]->children : &parts[i],
                       n_more * sizeof(*parts));
                query->n += n_more;
        }
        return query;
}

static bool at_or(const struct parser *p)
{
        return str_equal(peek_word(p), STR("OR"));
}

/* both = unary { unary } */
static struct query *parse_both(struct parser *p)
{
        struct query *parts[QUERY_MAX_TERMS + 1];
        size_t n = 0;

        do {
                struct query *part = at_or(p) ? fail_at(p, p->at, "a word before OR") : parse_unary(p);

                if (part == NULL || n > QUERY_MAX_TERMS) {
                        return NULL;
                }
                parts[n++] = part;
                skip_spaces(p);
        } while (p->rest.len > 0 && p->rest.ptr[0] != ')' && !at_or(p));
        return join_nodes(p, QUERY_AND, parts, n);
}

/* either = both { "OR" both } */
static struct query *parse_either(struct parser *p)
{
        struct query *parts[QUERY_MAX_TERMS + 1];
        size_t n = 0;

        for (;;) {
                skip_spaces(p);
                struct query *part = parse_both(p);
                if (part == NULL || n > QUERY_MAX_TERMS) {
                        return NULL;
                }
                parts[n++] = part;
                if (!at_or(p)) {
                        return join_nodes(p, QUERY_OR, parts, n);
                }
                skip_bytes(p, 2);
        }
}

/* False if the query has control characters or bidirectional controls. */
static bool is_clean(struct parser *p)
{
        struct parser at = *p;
        size_t len;

        for (uint32_t c = peek_code_point(&at, &len); len > 0;
             skip_code_point(&at, len), c = peek_code_point(&at, &len)) {
                char one[5] = {0};

                memcpy(one, at.rest.ptr, len);
                if (c != '\t' && c != '\n' && c != '\r' && !text_is_one_line(one)) {
                        fail_at(p, at.at, "no control characters");
                        return false;
                }
        }
        return true;
}

struct query *query_parse(struct arena *arena, const char *text, struct query_error *error)
{
        struct parser p = {.arena = arena, .rest = str_of(text), .at = 1, .error = error};

        *error = (struct query_error){0};
        if (!is_clean(&p)) {
                return NULL;
        }
        struct query *query = parse_either(&p);
        if (query != NULL && p.rest.len > 0) {
                return fail_at(&p, p.at, "an opening parenthesis before this one");
        }
        return query;
}
