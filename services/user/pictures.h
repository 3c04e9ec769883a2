/* Avatars and headers, which are public like names. */
#ifndef SERVICES_USER_PICTURES_H
#define SERVICES_USER_PICTURES_H

#include "base/arena.h"

void pictures_start(const char *public_url);

/* Makes an address of a path as rows have it; "" stays. */
void picture_address(struct arena *arena, char **url);

#endif
