/* Where a row may be read. Whoever must not show by the work done what is in memory asks memory alone first, and then,
 * whatever that lacked, the database alone. */
#ifndef CACHE_READ_FROM_H
#define CACHE_READ_FROM_H

enum read_from { READ_FROM_ANYWHERE, READ_FROM_MEMORY, READ_FROM_DATABASE };

#endif
