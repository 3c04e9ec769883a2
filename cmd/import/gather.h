/* The files from which `sonet import` takes texts: named ones, and those in named folders. */
#ifndef CMD_IMPORT_GATHER_H
#define CMD_IMPORT_GATHER_H

#include "cmd/import/texts.h"

/* Adds the items of a file, or of all files in a folder and its subfolders, sorted by name, so that each run finds
 * them in the same order. Files that `strfile` creates next to fortune files (.dat, and links ending in .u8) are
 * skipped; so are folders named `off`, where Debian keeps offensive texts, and links to folders. A named file that
 * is not UTF-8 text is an error; one in a folder is skipped and counted. */
SN_CHECKED sn_status import_texts_gather(struct import_texts *texts, const char *path, struct buf *error);

#endif
