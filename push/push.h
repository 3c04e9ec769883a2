/* Web Push: messages to browsers through the push service chosen by each browser (RFC 8030), encrypted for the browser
 * (RFC 8291) and signed, so that the push service can identify the sender (RFC 8292).
 *
 *   CLEANUP(push_sender_free_p) struct push_sender *sender = push_sender_new(&options);
 *   push_start(sender, &message);                         as many as fit
 *   n = push_wait(sender, 1000, results, max);            those that are done
 *
 * Subscriptions come from browsers, so they are untrusted: their addresses must resolve to public ones, and redirects
 * are not followed. */
#ifndef PUSH_PUSH_H
#define PUSH_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/address.h"
#include "base/status.h"

#define PUSH_ENDPOINT_MAX 2048
#define PUSH_TEXT_MAX     3993 /* bytes: with the overhead it is one record of 4096 (RFC 8291, 4) */
#define PUSH_ORIGIN_SIZE  280
#define PUSH_POINT_BYTES  65
#define PUSH_SECRET_BYTES 16
#define PUSH_TOPIC_CHARS  32
#define PUSH_KEY_SIZE     88 /* a point in base64url, and NUL */
#define PUSH_TTL_MAX_S    2419200

/* The contents of a browser's PushSubscription. */
struct push_subscription {
        const char *endpoint; /* an absolute https URL */
        uint8_t point[PUSH_POINT_BYTES];
        uint8_t secret[PUSH_SECRET_BYTES];
};

enum push_urgency { PUSH_VERY_LOW, PUSH_LOW, PUSH_NORMAL, PUSH_HIGH };

struct push_message {
        const struct push_subscription *to;
        const void *text; /* at most PUSH_TEXT_MAX bytes */
        size_t len;
        int64_t ttl_s;     /* how long the push service may keep it; at most PUSH_TTL_MAX_S */
        const char *topic; /* from push_topic: replaces a queued message with the same topic; NULL: none */
        enum push_urgency urgency;
        void *tag; /* returned with the result */
};

enum push_outcome {
        PUSH_SENT,    /* accepted by the push service */
        PUSH_GONE,    /* the subscription no longer exists, or its name has no public address: delete it */
        PUSH_REFUSED, /* this message will never be accepted */
        PUSH_LATER,   /* try again, but not before retry_after_s */
};

struct push_result {
        void *tag;
        enum push_outcome outcome;
        int status;            /* HTTP status; 0: no response */
        int64_t retry_after_s; /* as requested by the push service; 0: not given */
        int64_t took_us;
        char reason[128]; /* for the log: without address and text */
};

struct push_options {
        const char *contact;  /* "mailto:…" or "https:…", for the operators of push services (RFC 8292, 2.1) */
        struct networks also; /* non-public networks that are allowed, over http too: for tests and for a push service
                                 of your own */
        size_t at_once;       /* most messages being sent at a time */
        int timeout_ms;       /* for one message, from start to response */
};

/* Validates a browser's subscription: the endpoint, and both keys in base64url. NULL if it is valid; otherwise what
 * is wrong, with *field "endpoint", "p256dh" or "auth". Names are resolved only by push_start, each time. The
 * subscription keeps pointing to the endpoint. */
const char *push_read_subscription(const struct push_options *options, const char *endpoint, const char *p256dh,
                                   const char *auth, struct push_subscription *out, const char **field);
/* The push service of an endpoint, "https://host" or "https://host:port", whose failures count together. False if
 * the endpoint is not a URL. */
bool push_origin(const char *endpoint, char out[PUSH_ORIGIN_SIZE]);
/* Whether browsers that use this push service (an origin) may be sent silent pushes, which show nothing. Safari revokes
 * a subscription after three. */
bool push_may_be_silent(const char *origin);
/* Our public key, for browsers' applicationServerKey. Derived from the key file. */
const char *push_public_key(char out[PUSH_KEY_SIZE]);
/* The topic of a collapse key, which it does not reveal to the push service. */
char *push_topic(const char *collapse_key, char out[PUSH_TOPIC_CHARS + 1]);

struct push_sender;
/* Single-threaded. Connections are kept and shared by messages to one push service (HTTP/2). */
struct push_sender *push_sender_new(const struct push_options *options);
void push_sender_free(struct push_sender *sender); /* aborts what is being sent; takes NULL */
/* Encrypts and starts sending; the message need not stay valid. False: at_once messages are being sent. */
bool push_start(struct push_sender *sender, const struct push_message *message);
/* Whether anything is being sent. */
bool push_is_busy(const struct push_sender *sender);
/* Waits until something is done, at most wait_ms. Returns the number of results; 0 at once if nothing is being sent. */
size_t push_wait(struct push_sender *sender, int wait_ms, struct push_result *results, size_t max);

#endif
