/* Shared by the files of push/. */
#ifndef PUSH_PARTS_H
#define PUSH_PARTS_H

#include <curl/curl.h>
#include <openssl/evp.h>
#include "auth/es256.h"
#include "base/str.h"
#include "push/push.h"

#define PUSH_SALT_BYTES 16
#define PUSH_BODY_MAX   4096

/* The inputs that are drawn anew for each message. */
struct push_once {
        EVP_PKEY *key; /* an ephemeral key pair */
        uint8_t salt[PUSH_SALT_BYTES];
};

/* The uncompressed point of a public key. False when out of memory. */
bool push_point(const EVP_PKEY *key, uint8_t out[PUSH_POINT_BYTES]);
/* The public key of a point. NULL if the point is not on the curve. */
EVP_PKEY *push_key(const uint8_t point[PUSH_POINT_BYTES]);
/* The body of one message (RFC 8188 with one record), padded with zeros to padded bytes; at most PUSH_BODY_MAX.
 * Returns its length; 0 if OpenSSL fails or it does not fit. */
size_t push_encrypt_with(const struct push_once *once, const struct push_subscription *to, const void *text, size_t len,
                         size_t padded, uint8_t body[PUSH_BODY_MAX]);
/* The same with a new key pair and salt, padded so that lengths reveal little. */
size_t push_encrypt(const struct push_subscription *to, const void *text, size_t len, uint8_t body[PUSH_BODY_MAX]);

/* The Authorization header for a push service (RFC 8292, 3), in out. False if it does not fit, or when out of
 * memory. */
struct push_vapid;
struct push_vapid *push_vapid_new(const char *contact);
void push_vapid_free(struct push_vapid *vapid); /* takes NULL */
bool push_vapid_header(struct push_vapid *vapid, const char *origin, int64_t now_s, char *out, size_t size);

/* ---- Requests ---- */

struct push_request {
        const char *url;
        struct curl_slist *headers; /* owned by the sender afterwards */
        const void *body;           /* copied; NULL: it could not be built: rejected, or, */
        const char *later;          /* if this says why the provider cannot be called at present, tried later */
        size_t len;
        const char *ca; /* a file of CA certificates; NULL: the system's */
        bool trusted;   /* an operator's address: it need not be public */
        bool own;       /* for the sender's own purposes: it has no result */
        void *tag;
        /* Interprets a response, whose status is set. For the sender's own requests also called without a response:
         * status 0. */
        void (*judge)(void *context, struct str answer, struct push_result *out);
        void *context;
};
bool push_is_full(const struct push_sender *sender);
/* Must not be called when it is full. */
void push_begin(struct push_sender *sender, const struct push_request *request);
/* False when out of memory. */
bool push_add_header(struct curl_slist **headers, const char *line);
struct push_vapid *push_sender_vapid(struct push_sender *sender);

#endif
