/* UUIDs as 36 lowercase characters, as contracts and people see them; version 7 (RFC 9562) for all that SoNet
 * generates. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

#define UUID_SIZE 37 /* 36 characters and NUL */

/* A new version 7 ID: the wall clock's millisecond, then random bits; within one process later IDs sort after
 * earlier ones. */
char *uuid_new(char out[UUID_SIZE]);
char *uuid_new_in(struct arena *arena);
/* True for the canonical form (any version), either case. */
bool uuid_valid(const char *text);
bool uuid_equal(const char *a, const char *b); /* both canonical lowercase; false when either is empty */
void uuid_to_lowercase(char *text);            /* writes only what has to change: the text may be a constant */
bool uuid_to_bytes(const char *text, uint8_t out[16]);
char *uuid_from_bytes(const uint8_t bytes[16], char out[UUID_SIZE]);
/* The millisecond that a version 7 id carries. */
int64_t uuid_time_ms(const char *text);
/* The first eight bytes, which sort like the IDs of one process and are unique within it. */
uint64_t uuid_start(const char *text);
/* The smallest version 7 ID of a millisecond: IDs drawn in it or later are not smaller. */
char *uuid_at_ms(int64_t wall_ms, char out[UUID_SIZE]);

#endif
