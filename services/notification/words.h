/* Notifications in words, for channels that show text: one sentence, in the member's language. */
#ifndef SERVICES_NOTIFICATION_WORDS_H
#define SERVICES_NOTIFICATION_WORDS_H

#include "base/arena.h"
#include "services/notification/notification.rpc.h"
#include "services/notification/rules.h"

/* The sentence of a type as the program says it by itself (templates.h), in a language of two letters; NULL: there is
 * none. */
const char *words_source(const char *type, const char *language);
/* "Ada, Bob and 3 more like your note", by a sentence of templates. Its first actor is there. */
char *headline_of(struct arena *arena, const char *source, const Notification__Notification *n);
/* How its note or its message begins, at most max bytes; NULL when nothing may be said of it outside: it is not for
 * everybody, or the member wants nothing said. */
char *words_beginning(struct arena *arena, const struct rules *rules, const Notification__Notification *n, size_t max);
/* A member's name, at most 300 bytes. */
char *words_name(struct arena *arena, const User__Author *member);
/* The beginning of a text, whole characters. */
char *words_cut(struct arena *arena, const char *text, size_t max);

#endif
