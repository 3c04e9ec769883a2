/* Content codings: which one a client is sent (RFC 9110, 8.4.1 and 12.5.3). */
#ifndef GATEWAY_CODING_H
#define GATEWAY_CODING_H

#include "http/server.h"

/* In the order in which they are preferred when the client likes several alike. */
enum coding { CODING_IDENTITY, CODING_GZIP, CODING_ZSTD, CODINGS };

#define CODING_ANY ((1u << CODINGS) - 1)

/* The one that the client likes best, of those whose bit (1 << CODING_…) is in available; identity when it takes none
 * of them, or says nothing. */
enum coding coding_choose(const struct http_request *r, unsigned available);
/* "gzip"; for identity "". */
const char *coding_name(enum coding coding);

#endif
