/* Shared by the parts of the decoding child. It reports results to its parent, line by line on standard output; files
 * are written to the descriptors of decode.h. */
#ifndef SERVICES_MEDIA_CHILD_H
#define SERVICES_MEDIA_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "services/media/decode.h"

/* Reports why the file cannot be processed. Returns the child's exit code. */
int child_fail(const char *reason);
/* The write function for struct strip; its context is a pointer to a descriptor. */
bool child_write(void *fd, const void *bytes, size_t len);

struct child_file {
        const char *mime_type;
        const uint8_t *bytes;
        size_t len;
};

/* A still of a film: RGB pixels, three bytes each. It is rotated by quarters of a turn clockwise, saved as WebP, and
 * summarised by its hashes. */
struct child_still {
        const uint8_t *rgb;
        int width, height, quarters;
};
bool child_save_poster(const struct child_still *still, enum decode_output which);

/* Processes video and audio. FFmpeg's libraries must be loaded and the sandbox closed. Returns the exit code. */
int film_process(const struct child_file *file, const struct decode_limits *limits);

#endif
