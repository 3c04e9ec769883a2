/* Detects truncated Ogg files, whose format does not announce a length. */
#ifndef SERVICES_MEDIA_OGG_H
#define SERVICES_MEDIA_OGG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the last page is complete and ends its stream, as RFC 3533 (section 4) requires. Skips bytes that are not a
 * page. Safe for any input. */
bool ogg_is_whole(const uint8_t *bytes, size_t len);

#endif
