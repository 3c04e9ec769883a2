/* Perceptual hashes: the hashes of pictures that look alike differ in few of their 64 bits, whatever the format, size
 * or quality. */
#ifndef SERVICES_MEDIA_PHASH_H
#define SERVICES_MEDIA_PHASH_H

#include <stdint.h>

enum { PHASH_SIZE = 17 }; /* 16 hex digits and NUL */

/* From RGB pixels, three bytes each, row by row: compares the 64 lowest frequencies with their median. "" if the
 * picture shows hardly anything (such as a single colour), since all of those would look alike. */
void phash_of(const uint8_t *rgb, int width, int height, char out[PHASH_SIZE]);

#endif
