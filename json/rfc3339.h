/* Parses RFC 3339 timestamps. (clock_format_ms formats them.) */
#ifndef JSON_RFC3339_H
#define JSON_RFC3339_H

#include <stdbool.h>
#include <stdint.h>
#include "base/str.h"

/* "2026-01-02T03:04:05.678Z", with any offset and up to nine digits of fraction; the years 1 to 9999. */
bool rfc3339_parse(struct str text, int64_t *seconds, int32_t *nanos);

#endif
