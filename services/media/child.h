/* What the parts of the decoding child share. It says to its caller, a line each on its standard output, what it has
 * made; files go to the descriptors of decode.h. */
#ifndef SERVICES_MEDIA_CHILD_H
#define SERVICES_MEDIA_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "services/media/decode.h"

/* Says why it cannot be processed, and gives the child's exit code. */
int child_fail(const char *reason);
/* For struct strip; the context is a descriptor. */
bool child_write(void *fd, const void *bytes, size_t len);

struct child_file {
        const char *mime_type;
        const uint8_t *bytes;
        size_t len;
};

/* A still of a film: RGB pixels, three bytes each. Turned by so many quarters clockwise, saved as WebP and summed up.
 */
struct child_still {
        const uint8_t *rgb;
        int width, height, quarters;
};
bool child_save_poster(const struct child_still *still, enum decode_output which);

/* Video and audio, with FFmpeg's libraries loaded and the sandbox closed. Gives the exit code. */
int film_process(const struct child_file *file, const struct decode_limits *limits);

#endif
