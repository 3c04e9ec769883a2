/* Where a row may be read from. Code that must not reveal by timing what is in memory first asks memory only, and
 * then, whatever was missing, the database only. */
#ifndef CACHE_READ_FROM_H
#define CACHE_READ_FROM_H

enum read_from { READ_FROM_ANYWHERE, READ_FROM_MEMORY, READ_FROM_DATABASE };

#endif
