/* Avatars and headers, which are as public as names. */
#ifndef SERVICES_USER_PICTURES_H
#define SERVICES_USER_PICTURES_H

#include "base/arena.h"

void pictures_start(const char *public_url);

/* Converts a path as stored in rows to a URL; "" stays "". */
void picture_address(struct arena *arena, char **url);

#endif
