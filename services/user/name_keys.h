/* What members are found by: keys of their names, and of what somebody looks for. Pure functions over valid UTF-8. */
#ifndef SERVICES_USER_NAME_KEYS_H
#define SERVICES_USER_NAME_KEYS_H

#include <stddef.h>
#include "base/arena.h"

/* Code points of a key; bytes are some four times as many. */
#define NAME_KEY_MAX 60
/* Keys of one display name. */
#define NAME_KEYS_MAX 16

/* A display name from the start of each of its words on, folded (NFKC casefold) and cut: "Ada King" gives "ada king"
 * and "king". Gives how many; the first 16 words count. */
size_t name_keys(struct arena *arena, const char *display_name, char *keys[NAME_KEYS_MAX]);
/* The start of the keys that a search for the query finds: folded, with one space for each run of them, without the '@'
 * that usernames are shown with. "" when the query has nothing to look for. */
char *name_query_key(struct arena *arena, const char *query);

#endif
