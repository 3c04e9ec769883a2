/* Signed requests to an S3 bucket, retried where that may help. */
#ifndef SERVICES_MEDIA_S3_H
#define SERVICES_MEDIA_S3_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "services/media/storage.h"

enum { S3_ETAG_SIZE = 100, S3_CODE_SIZE = 64 };

struct s3_exchange {
        const char *method; /* GET, HEAD, PUT, POST, DELETE */
        const char *key;    /* "" for the bucket itself */
        const char *query;  /* sorted and encoded; "" if none */
        /* The body: length bytes of a file from offset, or a text. */
        int fd;
        int64_t offset, size;
        const char *text;   /* NULL: bytes of the file */
        const char *sha256; /* of the body in hex; NULL: is computed */
        int to_fd;          /* receives the body of a 2xx response, from offset 0; -1: answer receives it */
        struct buf *answer;
        int wait_ms;    /* for the whole request, including retries */
        long status;    /* 0: no response */
        int64_t length; /* Content-Length of the response */
        char etag[S3_ETAG_SIZE];
        char code[S3_CODE_SIZE]; /* error code, such as "AccessDenied" */
};

/* False if an option is invalid, which is logged. */
bool s3_setup(const struct bucket_options *options);
/* Sets x->status. Failures except for a missing object are logged, without secrets. Blocks: only for workers and jobs.
 */
void s3_exchange(struct s3_exchange *x);
/* Gets a non-empty region. Returns a pipe that delivers it as it is read, and that ends early if the transfer fails; -1
 * on failure, with x->status set. Blocks until the first bytes have arrived. */
int s3_open_region(struct s3_exchange *x, int64_t offset, int64_t length);
/* Whether the object does not exist although the bucket does, as far as the response tells. */
bool s3_is_missing(const struct s3_exchange *x);

#endif
