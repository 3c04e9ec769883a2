/* Texts of notifications for channels other than the list: one sentence in the member's language. */
#ifndef SERVICES_NOTIFICATION_WORDS_H
#define SERVICES_NOTIFICATION_WORDS_H

#include "base/arena.h"
#include "services/notification/notification.rpc.h"
#include "services/notification/rules.h"

/* The built-in sentence of a type (templates.h) in a two-letter language; NULL if there is none. */
const char *words_source(const char *type, const char *language);
/* "Ada, Bob and 3 more like your note", from a sentence of templates. The notification must have an actor. */
char *headline_of(struct arena *arena, const char *source, const Notification__Notification *n);
/* The beginning of its note or message, at most max bytes. NULL if it must not be quoted outside the network: it is not
 * public, or the member has turned that off. */
char *words_beginning(struct arena *arena, const struct rules *rules, const Notification__Notification *n, size_t max);
/* A member's name, at most 300 bytes. */
char *words_name(struct arena *arena, const User__Author *member);
/* The beginning of a text, cut between characters. */
char *words_cut(struct arena *arena, const char *text, size_t max);

#endif
