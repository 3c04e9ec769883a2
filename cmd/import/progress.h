/* Progress of `sonet import`: a bar on a terminal, otherwise an occasional line. */
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
        size_t seen; /* count at the last output, for the current rate */
        double rate;
};

void import_progress_start(struct import_progress *progress, FILE *to, const char *what, size_t total);
/* Call it often; it prints when due. */
void import_progress_show(struct import_progress *progress, size_t done);
/* The final line: "37,624 follows in 21.3 s (1,766/s), 12 already present". */
void import_progress_end(struct import_progress *progress, size_t done, size_t there);

/* "37,624" */
char *import_number(size_t value, char out[32]);

#endif
