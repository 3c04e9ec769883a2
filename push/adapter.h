/* Providers of short messages over HTTP: SMS, and pushes to apps. An operator describes requests and responses of a
 * provider in a JSON file:
 *
 *   {"name": "sms", "url": "https://sms.example/send", "headers": {"Authorization": "Bearer {secret}"},
 *    "type": "application/json", "body": "{\"to\": \"{to}\", \"text\": \"{text}\", \"once\": \"{key}\"}",
 *    "values": {"secret": "…"}, "answers": [{"field": "error.code", "is": "unknown_number", "means": "gone"}]}
 *
 * or, for a provider that SoNet knows, {"name": "sms", "shape": "twilio", "values": {…}}; the file takes precedence
 * over the shape. {to} {title} {text} {id} {type} {key} {ttl_s} {expires_s} are those of the message (key: the same for
 * all attempts, and for messages that replace it), {bearer} is an access token that was requested or signed, and others
 * are in "values". Values are escaped for their context.
 *
 * The URL is chosen by the operator and may be private, but http is allowed on loopback only. Redirects are not
 * followed. */
#ifndef PUSH_ADAPTER_H
#define PUSH_ADAPTER_H

#include "base/buf.h"
#include "push/push.h"

#define ADAPTER_NAME_SIZE 33
#define ADAPTER_TO_MAX    4096 /* bytes of an address */

struct adapter_message {
        const char *to; /* a phone number (E.164), or an app's token for its device */
        const char *title, *text, *id, *type, *key;
        int64_t ttl_s;
        void *tag; /* returned with the result */
};

/* Single-threaded. */
struct push_adapter;
/* Parses a description. NULL, with a sentence in error that contains no secrets. */
struct push_adapter *push_adapter_read(const char *path, struct buf *error);
void push_adapter_free(struct push_adapter *adapter); /* only after its sender is freed; takes NULL */
const char *push_adapter_name(const struct push_adapter *adapter);
/* Starts sending; the message need not stay valid. False: at_once messages are being sent, or a token is being
 * requested: try again after push_wait. */
bool push_adapter_start(struct push_sender *sender, struct push_adapter *adapter,
                        const struct adapter_message *message);

#endif
