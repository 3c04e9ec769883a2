/* Segments of PostgreSQL's write-ahead log (WAL) that exist before they are needed. */
#ifndef CMD_UP_EMBEDDED_WAL_H
#define CMD_UP_EMBEDDED_WAL_H

#include <stdint.h>
#include "cmd/up/embedded.h"

#define EMBEDDED_WAL_SEGMENTS 12 /* of 16 MiB; min_wal_size keeps them */

/* For a child, with a struct embedded as context, while PostgreSQL runs: returns 0 if so many segments exist ahead of
 * the current one, or there is little room on the disk. Takes six seconds if there are none. */
int embedded_wal_prepare(void *embedded);

#endif
