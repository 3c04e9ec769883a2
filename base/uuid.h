/* UUIDs as the 36 characters that people and contracts see, lowercase; version 7 (RFC 9562) for everything that SoNet
 * makes. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"

#define UUID_SIZE 37 /* 36 characters and NUL */

/* A new version 7 id: the wall clock's millisecond, then random bits; within one process later ids sort after earlier
 * ones. */
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
/* The first eight bytes: they sort as the ids of one process do, which differ in them. */
uint64_t uuid_start(const char *text);
/* The smallest version 7 id of a millisecond: what is drawn in it or later is not smaller. */
char *uuid_at_ms(int64_t wall_ms, char out[UUID_SIZE]);

#endif
