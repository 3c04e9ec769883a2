/* Removes all metadata from a picture or an MP3: EXIF with its locations and thumbnails, XMP, IPTC, comments, text, and
 * whatever follows its end. Pixels, colour profiles and animation are kept byte for byte. Runs in the sandboxed child.
 */
#ifndef SERVICES_MEDIA_STRIP_H
#define SERVICES_MEDIA_STRIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strip {
        const uint8_t *in;
        size_t len;
        bool (*write)(void *context, const void *bytes, size_t len); /* false aborts */
        void *context;
};

/* False if it is not a complete picture of its type, or could not be written. */
bool strip_jpeg(const struct strip *s);
bool strip_png(const struct strip *s);
bool strip_webp(const struct strip *s);
bool strip_gif(const struct strip *s);
/* HEIC and AVIF. Keeps a still picture: that of an animation. */
bool strip_heif(const struct strip *s);
/* Keeps whole frames of layer III, without a truncated last one. */
bool strip_mp3(const struct strip *s);

#endif
