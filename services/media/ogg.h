/* Whether an Ogg has come to its end: its formats announce no length. */
#ifndef SERVICES_MEDIA_OGG_H
#define SERVICES_MEDIA_OGG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Its last page is all there, and ends its stream, as RFC 3533 (section 4) asks of it. What is no page is passed over.
 * Safe on any bytes. */
bool ogg_is_whole(const uint8_t *bytes, size_t len);

#endif
