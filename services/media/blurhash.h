/* BlurHash (https://github.com/woltapp/blurhash): a placeholder of some thirty characters for a picture, and its
 * dominant colour. */
#ifndef SERVICES_MEDIA_BLURHASH_H
#define SERVICES_MEDIA_BLURHASH_H

#include <stddef.h>
#include <stdint.h>

enum { BLURHASH_SIZE = 29 }; /* 4 × 3 components: 28 characters and NUL */

/* From RGB pixels, three bytes each, row by row. */
void blurhash_of(const uint8_t *rgb, int width, int height, char out[BLURHASH_SIZE]);
/* "#rrggbb": the mean of the largest group of similar colours. */
void dominant_color_of(const uint8_t *rgb, size_t pixels, char out[8]);

#endif
