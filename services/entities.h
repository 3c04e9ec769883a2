/* What the text of a note or a message names: hashtags and mentions, in any script, as members expect them. Pure
 * functions over valid UTF-8; time grows with the length of the text, whatever it holds. */
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
        char *key;  /* what equal hashtags share */
};

struct entities {
        struct entity_hashtag *hashtags; /* in order of appearance, one for each key */
        size_t n_hashtags;
        char **mentions; /* usernames as first written, in order of appearance, one for each ignoring case */
        size_t n_mentions;
};

/* A hashtag is '#' (or ＃, ﹟), then letters, marks, numbers, '_', and what scripts need inside their words (ZWNJ and
 * ZWJ, ·, ・, 〜, ״, ་), with at least one letter. A mention is '@' (or ＠) and a username [A-Za-z0-9_]{1,30}. Neither
 * stands right after a letter, digit or '_' (nor after '&', for "&#123;"), inside a link (scheme://…, www.…,
 * example.org/…) or in an e-mail address; "@name@host" is somebody elsewhere. In scripts that put no spaces between
 * words a mention may touch the words around it ("谢谢@bob老师"). */
void entities_extract(struct arena *arena, const char *text, struct entities *out);

/* The key of one hashtag, as a list's path gives it (a leading '#' is skipped): NFKC casefold, letters, marks, numbers
 * and '_' only. NULL when it is none (empty, without a letter, over 100 code points, or with anything else in it);
 * *problem then says why, for people. */
char *hashtag_key(struct arena *arena, const char *tag, const char **problem);

#endif
