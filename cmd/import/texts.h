/* The texts that `sonet import` posts, from fortune files: items apart by lines that hold nothing but %. */
#ifndef CMD_IMPORT_TEXTS_H
#define CMD_IMPORT_TEXTS_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/status.h"

#define IMPORT_TEXT_MAX 5000 /* code points, as notes have them */

struct import_text {
        const char *text; /* NUL-terminated UTF-8 without blank ends; no two are alike */
        size_t length;    /* code points */
        const char *tag;  /* the file's name as a hashtag without #, or "" when it makes none */
};

struct import_texts {
        struct import_text *items;
        size_t n, capacity;
        size_t too_long; /* items that were left out, the first of which stands at first_too_long */
        char first_too_long[512];
        size_t left_out; /* files of folders that are no texts, the first of which is first_left_out */
        char first_left_out[512];
        void **memory; /* the files */
        size_t n_memory;
};

/* Adds a file's items, or none when it fails. Terminals' overstrikes and colours are taken out; texts over the maximum
 * are left out and counted. error gets a sentence with file and line for what is not UTF-8. */
SN_CHECKED sn_status import_texts_read(struct import_texts *texts, const char *path, struct buf *error);
/* After the last file: sorts out what occurs more than once; the order stays. */
void import_texts_finish(struct import_texts *texts);
void import_texts_free(struct import_texts *texts);

#endif
