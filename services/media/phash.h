/* Perceptual hashes: pictures that look alike have hashes that differ in few of their 64 bits, whatever their format,
 * size or quality. */
#ifndef SERVICES_MEDIA_PHASH_H
#define SERVICES_MEDIA_PHASH_H

#include <stdint.h>

enum { PHASH_SIZE = 17 }; /* 16 hex digits, and NUL */

/* Of RGB pixels, three bytes each, row by row: the signs of the 64 lowest frequencies of the picture against their
 * median. "" when it shows hardly anything, as one of a single colour does: such would all be alike. */
void phash_of(const uint8_t *rgb, int width, int height, char out[PHASH_SIZE]);

#endif
