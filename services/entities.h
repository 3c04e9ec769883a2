/* Hashtags and mentions in the text of a note or message, in any script. Pure functions over valid UTF-8; time is
 * linear in the length of the text. */
#ifndef SERVICES_ENTITIES_H
#define SERVICES_ENTITIES_H

#include <stddef.h>
#include "base/arena.h"

enum {
        ENTITIES_MAX_HASHTAGS = 30,
        ENTITIES_MAX_MENTIONS = 30,
        ENTITIES_MAX_HASHTAG_LENGTH = 100,
        ENTITIES_MAX_USERNAME_LENGTH = 30
};

struct entity_hashtag {
        char *text; /* as first written, without the '#' */
        char *key;  /* equal for equal hashtags */
};

struct entities {
        struct entity_hashtag *hashtags; /* in order of appearance, unique by key */
        size_t n_hashtags;
        char **mentions; /* usernames as first written, in order of appearance, unique ignoring case */
        size_t n_mentions;
};

/* A hashtag is '#' (or ＃, ﹟), then letters, marks, numbers, '_', and characters that scripts need inside words (ZWNJ
 * and ZWJ, ·, ・, 〜, ״, ་), with at least one letter. A mention is '@' (or ＠) and a username [A-Za-z0-9_]{1,30}.
 * Neither starts directly after a letter, digit or '_' (nor after '&', for "&#123;"), inside a link (scheme://…,
 * www.…, example.org/…) or in an e-mail address; "@name@host" is someone on another server. In scripts without
 * spaces between words a mention may touch its neighbours ("谢谢@bob老师"). */
void entities_extract(struct arena *arena, const char *text, struct entities *out);

/* The key of one hashtag, as in a list's path (a leading '#' is skipped): NFKC casefold, only letters, marks,
 * numbers and '_'. NULL if it is not a hashtag (empty, without a letter, over 100 code points, or with other
 * characters); *problem then says why. */
char *hashtag_key(struct arena *arena, const char *tag, const char **problem);

#endif
