/* The texts that `sonet import` posts, from fortune files: items separated by lines that contain only %. */
#ifndef CMD_IMPORT_TEXTS_H
#define CMD_IMPORT_TEXTS_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/status.h"

#define IMPORT_TEXT_MAX 5000 /* code points, as for notes */

struct import_text {
        const char *text; /* NUL-terminated UTF-8, trimmed; all different */
        size_t length;    /* code points */
        const char *tag;  /* the file's name as a hashtag without #, or "" if it cannot be one */
};

struct import_texts {
        struct import_text *items;
        size_t n, capacity;
        size_t too_long; /* skipped items, the first one at first_too_long */
        char first_too_long[512];
        size_t left_out; /* skipped files in folders, the first one is first_left_out */
        char first_left_out[512];
        void **memory; /* the files' contents */
        size_t n_memory;
};

/* Adds a file's items, or none on failure. Terminal formatting is removed; texts over the maximum are skipped and
 * counted. error gets a sentence with file and line if it is not UTF-8. */
SN_CHECKED sn_status import_texts_read(struct import_texts *texts, const char *path, struct buf *error);
/* Call it after the last file: removes duplicates, keeping the order. */
void import_texts_finish(struct import_texts *texts);
void import_texts_free(struct import_texts *texts);

#endif
