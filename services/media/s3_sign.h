/* Signing requests to S3: AWS Signature Version 4, in the Authorization header. */
#ifndef SERVICES_MEDIA_S3_SIGN_H
#define SERVICES_MEDIA_S3_SIGN_H

#include <stddef.h>
#include <stdint.h>

enum { S3_TIME_SIZE = 17, S3_HEADER_SIZE = 400 };

struct s3_request {
        const char *method;
        const char *host;           /* as in the Host header */
        const char *path;           /* only letters, digits and "-._~/" */
        const char *query;          /* sorted and encoded; "" for none */
        const char *payload_sha256; /* hex */
        int64_t now_s;
};

struct s3_keys {
        const char *region, *access_key, *secret_key;
};

/* x-amz-date, as signed: "20130524T000000Z". */
void s3_time(int64_t now_s, char out[S3_TIME_SIZE]);
/* The value of the Authorization header. Signs Host, x-amz-content-sha256 and x-amz-date. */
void s3_sign(const struct s3_request *request, const struct s3_keys *keys, char out[S3_HEADER_SIZE]);

#endif
