/* Shared by s3.c, which makes one request at a time per thread, and s3_region.c, which makes many at a time. */
#ifndef SERVICES_MEDIA_S3_PRIVATE_H
#define SERVICES_MEDIA_S3_PRIVATE_H

#include <curl/curl.h>
#include "services/media/s3.h"

enum { S3_TRIES = 3, S3_PAUSE_MS = 200, S3_REFUSAL_SIZE = 1024 };

/* Sets the URL, signature and limits. left_ms 0: no deadline as long as data arrive. Returns the headers, to be freed
 * after the request. */
struct curl_slist *s3_prepare(CURL *curl, const struct s3_exchange *x, const char *sha256, int64_t left_ms);
/* Parses "AccessDenied" from "<Error><Code>AccessDenied</Code>…" for the log; the rest may contain secrets. */
void s3_take_code(const char *refusal, struct s3_exchange *x);
void s3_add_refusal(char refusal[S3_REFUSAL_SIZE], const char *bytes, size_t len);
/* Whether a retry may succeed. */
bool s3_may_help(const struct s3_exchange *x, CURLcode code);
/* Logs the result unless it is a success or a missing object. */
void s3_log(const struct s3_exchange *x, CURLcode code);

#endif
