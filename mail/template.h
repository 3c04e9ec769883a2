/* Templates: the contents of mails, in one source for text and HTML. A template is a text file:
 *
 *     Subject: {code} is your code for {network}
 *
 *     Hello {name},
 *
 *     a paragraph, on one line; {variable} is replaced by a value, escaped for its context.
 *
 *     # {code}                  a line to be copied, in large type
 *
 *     * {items}                 a list: a bullet for each line of the value
 *
 *     -> Confirm it: {link}     a button; in the text version its label with the URL below
 */
#ifndef MAIL_TEMPLATE_H
#define MAIL_TEMPLATE_H

#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"

enum mail_type {
        MAIL_TEXT,   /* one line of user input: unprintable characters are replaced */
        MAIL_LIST,   /* such lines, separated by \n */
        MAIL_CODE,   /* letters, digits and hyphens */
        MAIL_LINK,   /* an http or https URL */
        MAIL_NUMBER, /* an integer */
        MAIL_TIME,   /* a moment, shown in UTC */
};

struct mail_variable {
        const char *name;
        enum mail_type type;
};

struct mail_language {
        const char *language; /* "en" */
        const char *source;
};

struct mail_template {
        const char *name;
        const struct mail_variable *variables; /* the last one has no name */
        const struct mail_language *languages; /* English first; the last one has no language */
};

struct mail_value {
        const char *name;
        enum mail_type type;
        const char *text;
        int64_t number;
};

static inline struct mail_value mail_text(const char *name, const char *text)
{
        return (struct mail_value){name, MAIL_TEXT, text, 0};
}

static inline struct mail_value mail_list(const char *name, const char *lines)
{
        return (struct mail_value){name, MAIL_LIST, lines, 0};
}

static inline struct mail_value mail_code(const char *name, const char *code)
{
        return (struct mail_value){name, MAIL_CODE, code, 0};
}

static inline struct mail_value mail_link(const char *name, const char *url)
{
        return (struct mail_value){name, MAIL_LINK, url, 0};
}

static inline struct mail_value mail_number(const char *name, int64_t number)
{
        return (struct mail_value){name, MAIL_NUMBER, NULL, number};
}

static inline struct mail_value mail_time(const char *name, int64_t wall_ms)
{
        return (struct mail_value){name, MAIL_TIME, NULL, wall_ms};
}

struct mail_rendered {
        const char *language; /* the language of the text */
        const char *subject;
        const char *text;
        const char *html;
};

/* In the arena. False with a sentence in error if a value is missing or does not match its declared type, or the
 * source uses an undeclared variable. */
bool mail_render(struct arena *arena, const struct mail_template *template, const char *language,
                 const struct mail_value *values, size_t n_values, struct mail_rendered *out, struct buf *error);

#endif
