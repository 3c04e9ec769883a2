/* Sentences with variables: "{1} likes {count} of your notes". Plain text: who shows it escapes it. */
#ifndef SERVICES_NOTIFICATION_SENTENCE_H
#define SERVICES_NOTIFICATION_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/str.h"

#define SENTENCE_MAX_BYTES 2000 /* of what is written: names take 300 each */

struct sentence_value {
        const char *name, *text;
};

/* With its variables replaced; one without a value is left out. */
char *sentence_write(struct arena *arena, const char *source, const struct sentence_value *values, size_t n);
/* Whether each variable is among the names; if not, which one is not. A brace that is not closed is none. */
bool sentence_check(const char *source, const char *const *names, size_t n, struct str *unknown);

#endif
