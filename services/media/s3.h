/* One request to a bucket of S3, signed, and tried again where that may help. */
#ifndef SERVICES_MEDIA_S3_H
#define SERVICES_MEDIA_S3_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "services/media/storage.h"

enum { S3_ETAG_SIZE = 100, S3_CODE_SIZE = 64 };

struct s3_exchange {
        const char *method; /* GET, HEAD, PUT, POST, DELETE */
        const char *key;    /* "": the bucket itself */
        const char *query;  /* in order, and encoded; "": none */
        /* The body: so many bytes of a file from offset, or a text. */
        int fd;
        int64_t offset, size;
        const char *text;   /* NULL: the file's */
        const char *sha256; /* of the body, in hex; NULL: is computed */
        int to_fd;          /* takes the body of an answer of 2xx, from offset 0; -1: answer does */
        struct buf *answer;
        int wait_ms;    /* for all of it, tries included */
        long status;    /* 0: there was no answer */
        int64_t length; /* of the answer's body, as it was announced */
        char etag[S3_ETAG_SIZE];
        char code[S3_CODE_SIZE]; /* of an error: "AccessDenied" */
};

/* False: an option is wrong; it is said in the log. */
bool s3_setup(const struct bucket_options *options);
/* x->status says what came of it. All but success, and an object that is missing, is in the log, without what is
 * secret. Waits: on workers and jobs. */
void s3_exchange(struct s3_exchange *x);
/* A GET of a region, which is not empty: a pipe through which it comes as it is read, and which ends early when that
 * fails. -1: x->status says why. Waits for the first bytes. */
int s3_open_region(struct s3_exchange *x, int64_t offset, int64_t length);
/* The object is not there; the bucket is, as far as its answer tells. */
bool s3_is_missing(const struct s3_exchange *x);

#endif
