/* Templates: what mails say, once for text and HTML. A template is a text file:
 *
 *     Subject: {code} is your code for {network}
 *
 *     Hello {name},
 *
 *     a paragraph, of one line; {variable} is replaced by a value, which is escaped as the place needs it.
 *
 *     # {code}                  a line to be copied, shown large
 *
 *     * {items}                 a list: a point for each line of the value
 *
 *     -> Confirm it: {link}     a button; in the text its label and the address below
 */
#ifndef MAIL_TEMPLATE_H
#define MAIL_TEMPLATE_H

#include <stdint.h>
#include "base/arena.h"
#include "base/buf.h"

enum mail_type {
        MAIL_TEXT,   /* one line that somebody wrote: what is not fit to be shown is replaced */
        MAIL_LIST,   /* lines of that kind, apart by \n */
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
        const struct mail_variable *variables; /* the last has no name */
        const struct mail_language *languages; /* English first; the last has no language */
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
        const char *language; /* that it is written in */
        const char *subject;
        const char *text;
        const char *html;
};

/* In the arena. False with a sentence in error when a value is missing, of another type than declared or not what its
 * type says, or the source uses a variable that is not declared. */
bool mail_render(struct arena *arena, const struct mail_template *template, const char *language,
                 const struct mail_value *values, size_t n_values, struct mail_rendered *out, struct buf *error);

#endif
