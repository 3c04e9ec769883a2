/* Sentences with variables: "{1} likes {count} of your notes". Plain text, which the caller must escape. */
#ifndef SERVICES_NOTIFICATION_SENTENCE_H
#define SERVICES_NOTIFICATION_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/str.h"

#define SENTENCE_MAX_BYTES 2000 /* of the result: a name has at most 300 */

struct sentence_value {
        const char *name, *text;
};

/* Replaces the variables; those without a value are left out. */
char *sentence_write(struct arena *arena, const char *source, const struct sentence_value *values, size_t n);
/* Whether all variables are among the names; otherwise *unknown is the first that is not. An unclosed brace is plain
 * text. */
bool sentence_check(const char *source, const char *const *names, size_t n, struct str *unknown);

#endif
