/* Content codings: choosing the one to send to a client (RFC 9110, 8.4.1 and 12.5.3). */
#ifndef GATEWAY_CODING_H
#define GATEWAY_CODING_H

#include "http/server.h"

/* In ascending order of preference, used when the client has none. */
enum coding { CODING_IDENTITY, CODING_GZIP, CODING_ZSTD, CODINGS };

#define CODING_ANY ((1u << CODINGS) - 1)

/* The coding that the client prefers among those whose bit (1 << CODING_…) is set in available; identity if it
 * accepts none of them or does not say. */
enum coding coding_choose(const struct http_request *r, unsigned available);
/* "gzip"; for identity "". */
const char *coding_name(enum coding coding);

#endif
