/* Removes from a picture or an MP3 all metadata: EXIF with its places and thumbnails, XMP, IPTC, comments, text, and
 * whatever stands behind its end. Pixels, colour profiles and animation stay as they are, byte for byte. Runs in the
 * sandboxed child. */
#ifndef SERVICES_MEDIA_STRIP_H
#define SERVICES_MEDIA_STRIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strip {
        const uint8_t *in;
        size_t len;
        bool (*write)(void *context, const void *bytes, size_t len); /* false: give up */
        void *context;
};

/* False when it is not a complete picture of its type, or could not be written. */
bool strip_jpeg(const struct strip *s);
bool strip_png(const struct strip *s);
bool strip_webp(const struct strip *s);
bool strip_gif(const struct strip *s);
/* HEIC and AVIF. A still picture is left: of an animation its first. */
bool strip_heif(const struct strip *s);
/* Whole frames of layer III are left; a last one that is cut off is not. */
bool strip_mp3(const struct strip *s);

#endif
