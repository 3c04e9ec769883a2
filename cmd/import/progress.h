/* Progress of `sonet import`, for people: a bar that moves on a terminal, a line now and then elsewhere. */
#ifndef CMD_IMPORT_PROGRESS_H
#define CMD_IMPORT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct import_progress {
        FILE *to;
        bool terminal;
        const char *what; /* "members" */
        size_t total;
        int64_t start_us, shown_us;
        size_t seen; /* what was there at the last show, to tell the present rate */
        double rate;
};

void import_progress_start(struct import_progress *progress, FILE *to, const char *what, size_t total);
/* Call it often; it shows what is due. */
void import_progress_show(struct import_progress *progress, size_t done);
/* The closing line: "37,624 follows in 21.3 s (1,766/s), 12 were there". */
void import_progress_end(struct import_progress *progress, size_t done, size_t there);

/* "37,624" */
char *import_number(size_t value, char out[32]);

#endif
