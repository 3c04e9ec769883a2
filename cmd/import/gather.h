/* Which files `sonet import` takes its texts from: those that are named, and those in folders that are named. */
#ifndef CMD_IMPORT_GATHER_H
#define CMD_IMPORT_GATHER_H

#include "cmd/import/texts.h"

/* Adds the items of a file, or of all files in a folder and the folders below, by name, so that each run finds them in
 * the same order. What `strfile` makes beside fortune files (.dat, and links ending in .u8) is passed over; so are
 * folders named `off`, where Debian keeps what offends, and links to folders. A named file that is no UTF-8 text is
 * refused; one in a folder is left out and counted. */
SN_CHECKED sn_status import_texts_gather(struct import_texts *texts, const char *path, struct buf *error);

#endif
