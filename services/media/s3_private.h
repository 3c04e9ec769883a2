/* What requests to a bucket share: s3.c makes one after the other, s3_region.c many at a time. */
#ifndef SERVICES_MEDIA_S3_PRIVATE_H
#define SERVICES_MEDIA_S3_PRIVATE_H

#include <curl/curl.h>
#include "services/media/s3.h"

enum { S3_TRIES = 3, S3_PAUSE_MS = 200, S3_REFUSAL_SIZE = 1024 };

/* Where it goes, its signature and its limits; left_ms 0: it may take as long as something comes. Gives the headers, to
 * be freed behind it. */
struct curl_slist *s3_prepare(CURL *curl, const struct s3_exchange *x, const char *sha256, int64_t left_ms);
/* "AccessDenied" of "<Error><Code>AccessDenied</Code>…": what the log says; the rest may hold what is secret. */
void s3_take_code(const char *refusal, struct s3_exchange *x);
void s3_add_refusal(char refusal[S3_REFUSAL_SIZE], const char *bytes, size_t len);
/* Whether the same may go well when it is tried again. */
bool s3_may_help(const struct s3_exchange *x, CURLcode code);
/* Unless it went well, or says only that the object is missing. */
void s3_log(const struct s3_exchange *x, CURLcode code);

#endif
