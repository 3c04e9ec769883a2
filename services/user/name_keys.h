/* Keys for finding members by name, and for queries. Pure functions over valid UTF-8. */
#ifndef SERVICES_USER_NAME_KEYS_H
#define SERVICES_USER_NAME_KEYS_H

#include <stddef.h>
#include "base/arena.h"

/* Code points of a key; up to four times as many bytes. */
#define NAME_KEY_MAX 60
/* Keys of one display name. */
#define NAME_KEYS_MAX 16

/* A display name starting at each of its words, folded (NFKC casefold) and truncated: "Ada King" gives "ada king"
 * and "king". Returns how many; only the first 16 words count. */
size_t name_keys(struct arena *arena, const char *display_name, char *keys[NAME_KEYS_MAX]);
/* The prefix of the keys that match the query: folded, runs of spaces reduced to one, without a leading '@'. "" if
 * the query has nothing to search for. */
char *name_query_key(struct arena *arena, const char *query);

#endif
