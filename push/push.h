/* Web Push: messages to browsers through the push service that each browser chose (RFC 8030), readable by the browser
 * alone (RFC 8291), signed so that the push service knows whom they come from (RFC 8292).
 *
 *   CLEANUP(push_sender_free_p) struct push_sender *sender = push_sender_new(&options);
 *   push_start(sender, &message);                         as many as fit
 *   n = push_wait(sender, 1000, results, max);            those that are done
 *
 * A subscription comes from a browser, that is, from anybody: what its address resolves to must be on the Internet, and
 * nothing is followed from there. */
#ifndef PUSH_PUSH_H
#define PUSH_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/address.h"
#include "base/status.h"

#define PUSH_ENDPOINT_MAX 2048
#define PUSH_TEXT_MAX     3993 /* bytes: with all that is added it is one record of 4096 (RFC 8291, 4) */
#define PUSH_ORIGIN_SIZE  280
#define PUSH_POINT_BYTES  65
#define PUSH_SECRET_BYTES 16
#define PUSH_TOPIC_CHARS  32
#define PUSH_KEY_SIZE     88 /* a point in base64url, and NUL */
#define PUSH_TTL_MAX_S    2419200

/* What PushSubscription of a browser says. */
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
        int64_t ttl_s;     /* for so long the push service may keep it; at most PUSH_TTL_MAX_S */
        const char *topic; /* of push_topic: replaces what waits under it; NULL: none */
        enum push_urgency urgency;
        void *tag; /* comes back with the result */
};

enum push_outcome {
        PUSH_SENT,    /* the push service has it */
        PUSH_GONE,    /* the subscription is no more: forget it */
        PUSH_REFUSED, /* this message will not be taken, however often it is sent */
        PUSH_LATER,   /* try again, not before retry_after_s */
};

struct push_result {
        void *tag;
        enum push_outcome outcome;
        int status;            /* of HTTP; 0: there was no answer */
        int64_t retry_after_s; /* what the push service asks for; 0: it says nothing */
        int64_t took_us;
        char reason[128]; /* for a log: no address, no text */
};

struct push_options {
        const char *contact;  /* "mailto:…" or "https:…", for the operators of push services (RFC 8292, 2.1) */
        struct networks also; /* networks that are not public and yet allowed, over http too: for tests and for a
                                 push service of one's own */
        size_t at_once;       /* messages on their way, at most */
        int timeout_ms;       /* of one message, from start to answer */
};

/* Reads what a browser gave: the endpoint, and both keys in base64url. NULL when it is good; otherwise what is wrong,
 * and *field says with which of "endpoint", "p256dh", "auth". Names are not resolved here: push_start does that each
 * time. The subscription keeps pointing to the endpoint. */
const char *push_read_subscription(const struct push_options *options, const char *endpoint, const char *p256dh,
                                   const char *auth, struct push_subscription *out, const char **field);
/* The push service of an endpoint, "https://host" or "https://host:port", whose failures count together. False when the
 * endpoint is no URL. */
bool push_origin(const char *endpoint, char out[PUSH_ORIGIN_SIZE]);
/* Our public key, for applicationServerKey of browsers. It is that of the key file. */
const char *push_public_key(char out[PUSH_KEY_SIZE]);
/* The topic of a collapse key: says nothing of it to the push service. */
char *push_topic(const char *collapse_key, char out[PUSH_TOPIC_CHARS + 1]);

struct push_sender;
/* For one thread. Connections are kept and shared by messages to one push service (HTTP/2). */
struct push_sender *push_sender_new(const struct push_options *options);
void push_sender_free(struct push_sender *sender); /* breaks off what is on its way; takes NULL */
/* Encrypts and begins to send; nothing of the message is needed afterwards. False: at_once are on their way. */
bool push_start(struct push_sender *sender, const struct push_message *message);
/* Whether anything is on its way. */
bool push_is_busy(const struct push_sender *sender);
/* Waits until something is done, wait_ms at most. Gives the number of results; 0 at once when nothing is on its way. */
size_t push_wait(struct push_sender *sender, int wait_ms, struct push_result *results, size_t max);

#endif
