/* Prints trees, with quotation marks, parentheses and OR only where they are needed. */
#include "services/search/query.h"

#include <string.h>
#include "base/buf.h"
#include "base/str.h"
#include "base/text.h"

enum { PRINT_MAX_BYTES = 64 * 1024 };

static void print_node(struct buf *out, const struct query *query, bool inner);

static bool has_space(const char *text)
{
        uint32_t c = 0;

        for (size_t len = strlen(text), n; len > 0; text += n, len -= n) {
                n = utf8_decode(text, len, &c);
                if (text_is_space(c) || c == '(' || c == ')') {
                        return true;
                }
        }
        return false;
}

static void print_filter(struct buf *out, const struct query *query)
{
        const char *name = query_filter_name(query->filter);

        if (has_space(query->text)) {
                buf_printf(out, "%s:\"%s\"", name, query->text);
        } else {
                buf_printf(out, "%s:%s", name, query->text);
        }
}

static void print_list(struct buf *out, const struct query *query, bool inner)
{
        if (inner) {
                buf_append_char(out, '(');
        }
        for (size_t i = 0; i < query->n; i++) {
                if (i > 0) {
                        buf_append_c(out, query->kind == QUERY_OR ? " OR " : " ");
                }
                /* AND binds tighter than OR, so it needs no parentheses within it. */
                print_node(out, query->children[i], query->kind == QUERY_AND || query->children[i]->kind != QUERY_AND);
        }
        if (inner) {
                buf_append_char(out, ')');
        }
}

/* A word that begins with a hyphen needs quotes, or it would be read as excluded. */
static void print_not(struct buf *out, const struct query *child)
{
        bool hyphen = child->kind <= QUERY_PREFIX && child->n == 0 && child->text[0] == '-';

        buf_append_c(out, hyphen ? "-(" : "-");
        print_node(out, child, true);
        if (hyphen) {
                buf_append_char(out, ')');
        }
}

static void print_node(struct buf *out, const struct query *query, bool inner)
{
        switch (query->kind) {
        case QUERY_AND:
        case QUERY_OR:
                print_list(out, query, inner);
                break;
        case QUERY_NOT:
                print_not(out, query->children[0]);
                break;
        case QUERY_WORD:
                buf_append_c(out, query->text);
                break;
        case QUERY_PREFIX:
                buf_printf(out, "%s*", query->text);
                break;
        case QUERY_PHRASE:
                buf_printf(out, "\"%s\"", query->text);
                break;
        case QUERY_FILTER:
                print_filter(out, query);
                break;
        }
}

char *query_print(struct arena *arena, const struct query *query)
{
        struct buf out;

        buf_init(&out, PRINT_MAX_BYTES);
        print_node(&out, query, false);
        char *text = arena_strndup(arena, out.data, out.len);
        buf_free(&out);
        return text;
}

bool query_asks_for_something(const struct query *query)
{
        bool any = false, all = true;

        if (query->kind >= QUERY_NOT) {
                return query->kind != QUERY_NOT;
        }
        for (size_t i = 0; i < query->n; i++) {
                bool does = query_asks_for_something(query->children[i]);

                any = any || does;
                all = all && does;
        }
        return query->kind == QUERY_AND ? any : all;
}
