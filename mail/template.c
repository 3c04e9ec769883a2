/* Owns rendering templates: the blocks of the source, and the values in them. */
#include "mail/template.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/status.h"
#include "base/str.h"
#include "base/text.h"

enum { MAX_BYTES = 262144, MAX_VALUE_BYTES = 4096, MAX_LIST_BYTES = 65536 };

static const char HTML_HEAD[] =
    "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" "
    "content=\"light dark\"></head>\n<body style=\"margin:0 auto;padding:24px;max-width:36em;"
    "font:16px/1.5 system-ui,sans-serif\">\n";
static const char HTML_CODE[] = "<p style=\"font:bold 28px/1.5 ui-monospace,monospace;letter-spacing:.1em\">";
static const char HTML_BUTTON[] = "style=\"display:inline-block;padding:10px 18px;border-radius:6px;"
                                  "background:#1f5fbf;color:#ffffff;text-decoration:none\"";

struct rendering {
        struct arena *arena;
        const struct mail_template *template;
        const struct mail_value *values;
        size_t n_values;
        struct buf *error;
};

/* ---- Values ---- */

static bool fail_rendering(const struct rendering *r, const char *variable, const char *what)
{
        buf_printf(r->error, "template %s: {%s} %s", r->template->name, variable, what);
        return false;
}

static bool is_code(const char *text)
{
        return text[0] != '\0' &&
               text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool is_link(const char *text)
{
        if (!str_starts(str_of(text), STR("https://")) && !str_starts(str_of(text), STR("http://"))) {
                return false;
        }
        for (const char *c = text; *c != '\0'; c++) {
                if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}", *c) != NULL) {
                        return false;
                }
        }
        return true;
}

/* "2026-01-02 03:04 UTC" */
static char *print_time(struct arena *arena, int64_t wall_ms)
{
        char text[CLOCK_RFC3339_SIZE];

        (void)clock_format_ms(wall_ms, text);
        return arena_printf(arena, "%.10s %.5s UTC", text, text + 11);
}

/* Each line separately. NULL: too long. */
static const char *print_list(struct arena *arena, const char *lines)
{
        CLEANUP(buf_free) struct buf out;

        buf_init(&out, MAX_LIST_BYTES);
        for (const char *at = lines; *at != '\0'; at += strspn(at, "\n")) {
                size_t len = strcspn(at, "\n");

                buf_printf(&out, "%s%s", at == lines ? "" : "\n",
                           text_clean(arena, (struct str){at, len}, MAX_VALUE_BYTES));
                at += len;
        }
        return out.overflow ? NULL : arena_strndup(arena, out.data, out.len);
}

/* NULL if the value does not match its type. */
static const char *print_value(const struct rendering *r, const struct mail_value *value)
{
        if (value->type == MAIL_NUMBER) {
                return arena_printf(r->arena, "%" PRId64, value->number);
        }
        if (value->type == MAIL_TIME) {
                return print_time(r->arena, value->number);
        }
        if (value->type == MAIL_LIST) {
                return value->text != NULL ? print_list(r->arena, value->text) : NULL;
        }
        if (value->text == NULL || strlen(value->text) > MAX_VALUE_BYTES) {
                return NULL;
        }
        if (value->type == MAIL_TEXT) {
                return text_clean(r->arena, str_of(value->text), MAX_VALUE_BYTES);
        }
        return (value->type == MAIL_CODE ? is_code : is_link)(value->text) ? value->text : NULL;
}

static const struct mail_variable *find_variable(const struct rendering *r, struct str name)
{
        for (const struct mail_variable *v = r->template->variables; v->name != NULL; v++) {
                if (str_equal_c(name, v->name)) {
                        return v;
                }
        }
        return NULL;
}

static const struct mail_value *find_value(const struct rendering *r, const struct mail_variable *variable)
{
        for (size_t i = 0; i < r->n_values; i++) {
                if (strcmp(r->values[i].name, variable->name) == 0) {
                        return r->values[i].type == variable->type ? &r->values[i] : NULL;
                }
        }
        return NULL;
}

/* Every declared variable, whether or not this language uses it: a call that lacks one is wrong in every language. */
static bool check_values(const struct rendering *r)
{
        for (const struct mail_variable *v = r->template->variables; v->name != NULL; v++) {
                const struct mail_value *value = find_value(r, v);

                if (value == NULL || print_value(r, value) == NULL) {
                        return fail_rendering(r, v->name, "has no value of the right type");
                }
        }
        return true;
}

/* ---- Text with variables ---- */

static void append_html(struct buf *out, const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                switch (text[i]) {
                case '&':
                        buf_append_c(out, "&amp;");
                        break;
                case '<':
                        buf_append_c(out, "&lt;");
                        break;
                case '>':
                        buf_append_c(out, "&gt;");
                        break;
                case '"':
                        buf_append_c(out, "&quot;");
                        break;
                case '\n':
                        buf_append_c(out, "<br>\n");
                        break;
                default:
                        buf_append_char(out, text[i]);
                }
        }
}

static void append_plain(struct buf *out, const char *text, size_t len)
{
        buf_append(out, text, len);
}

typedef void append_text(struct buf *out, const char *text, size_t len);

/* The source with its variables replaced. */
static bool expand(const struct rendering *r, struct str source, append_text *append, struct buf *out)
{
        while (source.len > 0) {
                const char *open = memchr(source.ptr, '{', source.len);
                size_t before = open != NULL ? (size_t)(open - source.ptr) : source.len;
                const char *close = open != NULL ? memchr(open, '}', source.len - before) : NULL;

                append(out, source.ptr, before);
                if (open == NULL) {
                        return true;
                }
                struct str name = {open + 1, close != NULL ? (size_t)(close - open - 1) : 0};
                const struct mail_variable *variable = find_variable(r, name);

                if (variable == NULL || close == NULL) {
                        return fail_rendering(r, str_dup(r->arena, name), "is not one of its variables");
                }
                const char *value = print_value(r, find_value(r, variable));

                append(out, value, strlen(value));
                source = (struct str){close + 1, source.len - (size_t)(close + 1 - source.ptr)};
        }
        return true;
}

/* ---- Blocks ---- */

/* "-> Label: {link}" */
static bool add_button(const struct rendering *r, struct str block, struct buf *text, struct buf *html)
{
        const char *colon = memchr(block.ptr, ':', block.len);

        if (colon == NULL) {
                buf_printf(r->error, "template %s: a button has no ':' between its label and its link",
                           r->template->name);
                return false;
        }
        struct str label = {block.ptr, (size_t)(colon - block.ptr)};
        struct str link = str_trim((struct str){colon + 1, block.len - label.len - 1});

        buf_append_c(html, "<p><a href=\"");
        if (!expand(r, link, append_html, html)) {
                return false;
        }
        buf_printf(html, "\" %s>", HTML_BUTTON);
        if (!expand(r, label, append_html, html) || !expand(r, label, append_plain, text)) {
                return false;
        }
        buf_append_c(html, "</a></p>\n");
        buf_append_c(text, ":\n");
        return expand(r, link, append_plain, text);
}

/* "* {items}": a bullet for each line of the value. */
static bool add_list(const struct rendering *r, struct str block, struct buf *text, struct buf *html)
{
        CLEANUP(buf_free) struct buf lines;

        buf_init(&lines, MAX_LIST_BYTES);
        if (!expand(r, block, append_plain, &lines)) {
                return false;
        }
        buf_append_c(html, "<ul>\n");
        for (size_t at = 0, len; at < lines.len; at += len + 1) {
                const char *end = memchr(lines.data + at, '\n', lines.len - at);

                len = end != NULL ? (size_t)(end - lines.data) - at : lines.len - at;
                buf_printf(text, "%s- %.*s", at > 0 ? "\n" : "", (int)len, lines.data + at);
                buf_append_c(html, "<li>");
                append_html(html, lines.data + at, len);
                buf_append_c(html, "</li>\n");
        }
        buf_append_c(html, "</ul>\n");
        return true;
}

static bool add_block(const struct rendering *r, struct str block, struct buf *text, struct buf *html)
{
        bool code = str_starts(block, STR("# "));

        if (str_starts(block, STR("-> "))) {
                return add_button(r, (struct str){block.ptr + 3, block.len - 3}, text, html);
        }
        if (str_starts(block, STR("* "))) {
                return add_list(r, (struct str){block.ptr + 2, block.len - 2}, text, html);
        }
        if (code) {
                block = (struct str){block.ptr + 2, block.len - 2};
                buf_append_c(text, "    ");
        }
        buf_append_c(html, code ? HTML_CODE : "<p>");
        if (!expand(r, block, append_plain, text) || !expand(r, block, append_html, html)) {
                return false;
        }
        buf_append_c(html, "</p>\n");
        return true;
}

/* The lines up to the next empty one. False at the end. */
static bool next_block(struct str *source, struct str *block)
{
        while (source->len > 0 && source->ptr[0] == '\n') {
                *source = (struct str){source->ptr + 1, source->len - 1};
        }
        const char *end = memmem(source->ptr, source->len, "\n\n", 2);

        *block = (struct str){source->ptr, end != NULL ? (size_t)(end - source->ptr) : source->len};
        *source = (struct str){source->ptr + block->len, source->len - block->len};
        while (block->len > 0 && block->ptr[block->len - 1] == '\n') {
                block->len--;
        }
        return block->len > 0;
}

static bool render_subject(const struct rendering *r, struct str block, struct buf *out)
{
        if (!str_starts(block, STR("Subject: ")) || memchr(block.ptr, '\n', block.len) != NULL) {
                buf_printf(r->error, "template %s must begin with a line 'Subject: …'", r->template->name);
                return false;
        }
        return expand(r, (struct str){block.ptr + 9, block.len - 9}, append_plain, out);
}

static bool render_source(const struct rendering *r, const struct mail_language *in, struct buf *subject,
                          struct buf *text, struct buf *html)
{
        struct str source = str_of(in->source), block = STR("");

        if (!next_block(&source, &block) || !render_subject(r, block, subject)) {
                return false;
        }
        buf_printf(html, "<!doctype html>\n<html lang=\"%s\"><head><title>", in->language);
        append_html(html, subject->data, subject->len);
        buf_printf(html, "</title>%s", HTML_HEAD);
        while (next_block(&source, &block)) {
                if (!add_block(r, block, text, html)) {
                        return false;
                }
                buf_append_c(text, "\n\n");
        }
        buf_append_c(html, "</body></html>\n");
        return true;
}

/* Matches the first part of the tag (RFC 4647, 3.4): "de-AT" gets "de". */
static const struct mail_language *choose_language(const struct mail_template *template, const char *tag)
{
        struct str wanted = {tag, strcspn(tag, "-")};

        for (const struct mail_language *l = template->languages; l->language != NULL; l++) {
                if (str_equal_nocase(str_of(l->language), wanted)) {
                        return l;
                }
        }
        return template->languages;
}

bool mail_render(struct arena *arena, const struct mail_template *template, const char *language,
                 const struct mail_value *values, size_t n_values, struct mail_rendered *out, struct buf *error)
{
        CLEANUP(buf_free) struct buf subject;
        CLEANUP(buf_free) struct buf text;
        CLEANUP(buf_free) struct buf html;
        struct rendering r = {arena, template, values, n_values, error};
        const struct mail_language *in = choose_language(template, language);

        buf_init(&subject, MAX_VALUE_BYTES * 2);
        buf_init(&text, MAX_BYTES);
        buf_init(&html, MAX_BYTES);
        if (!check_values(&r) || !render_source(&r, in, &subject, &text, &html)) {
                return false;
        }
        if (subject.overflow || text.overflow || html.overflow) {
                buf_printf(error, "template %s renders a mail that is too long", template->name);
                return false;
        }
        *out = (struct mail_rendered){
            .language = in->language,
            .subject = arena_strndup(arena, subject.data, subject.len),
            .text = arena_strndup(arena, text.data, text.len),
            .html = arena_strndup(arena, html.data, html.len),
        };
        return true;
}
