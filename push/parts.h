/* What the files of push/ share. */
#ifndef PUSH_PARTS_H
#define PUSH_PARTS_H

#include <curl/curl.h>
#include <openssl/evp.h>
#include "auth/es256.h"
#include "base/str.h"
#include "push/push.h"

#define PUSH_SALT_BYTES 16
#define PUSH_BODY_MAX   4096

/* What makes one message unlike any other. */
struct push_once {
        EVP_PKEY *key; /* a key pair of its own */
        uint8_t salt[PUSH_SALT_BYTES];
};

/* The point of a public key. False when memory is out. */
bool push_point(const EVP_PKEY *key, uint8_t out[PUSH_POINT_BYTES]);
/* The key of a point. NULL: it is not on the curve. */
EVP_PKEY *push_key(const uint8_t point[PUSH_POINT_BYTES]);
/* The body of one message (RFC 8188 with one record), the text filled up with zeros to padded bytes; at most
 * PUSH_BODY_MAX. Gives its length; 0 when OpenSSL fails or it does not fit. */
size_t push_encrypt_with(const struct push_once *once, const struct push_subscription *to, const void *text, size_t len,
                         size_t padded, uint8_t body[PUSH_BODY_MAX]);
/* The same with a new key pair and salt, filled up so that lengths say little. */
size_t push_encrypt(const struct push_subscription *to, const void *text, size_t len, uint8_t body[PUSH_BODY_MAX]);

/* The Authorization header for a push service (RFC 8292, 3), in out. False when it does not fit, or memory is out. */
struct push_vapid;
struct push_vapid *push_vapid_new(const char *contact);
void push_vapid_free(struct push_vapid *vapid); /* takes NULL */
bool push_vapid_header(struct push_vapid *vapid, const char *origin, int64_t now_s, char *out, size_t size);

/* ---- Requests ---- */

struct push_request {
        const char *url;
        struct curl_slist *headers; /* becomes the sender's */
        const void *body;           /* copied; NULL: it could not be made: refused, or, */
        bool later;                 /* since we may not speak to the provider just now, tried later */
        size_t len;
        const char *ca; /* a file of certificates; NULL: those that the system trusts */
        bool trusted;   /* an operator's address: it need not be public */
        bool own;       /* for the sender's own purposes: it has no result */
        void *tag;
        /* Says what an answer means; the status is there. Of its own request also that there was none: status 0. */
        void (*judge)(void *context, struct str answer, struct push_result *out);
        void *context;
};
bool push_is_full(const struct push_sender *sender);
/* Not when it is full. */
void push_begin(struct push_sender *sender, const struct push_request *request);
/* False when memory is out. */
bool push_add_header(struct curl_slist **headers, const char *line);
struct push_vapid *push_sender_vapid(struct push_sender *sender);

#endif
