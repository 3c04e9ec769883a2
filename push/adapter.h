/* Providers of short messages by HTTP: SMS, and pushes to apps. What one is sent, and how its answers are read, is
 * described in a file of JSON that an operator writes:
 *
 *   {"name": "sms", "url": "https://sms.example/send", "headers": {"Authorization": "Bearer {secret}"},
 *    "type": "application/json", "body": "{\"to\": \"{to}\", \"text\": \"{text}\", \"once\": \"{key}\"}",
 *    "values": {"secret": "…"}, "answers": [{"field": "error.code", "is": "unknown_number", "means": "gone"}]}
 *
 * or, for a provider whose description SoNet has, {"name": "sms", "shape": "twilio", "values": {…}}; what the file says
 * itself counts. {to} {title} {text} {id} {type} {key} {ttl_s} {expires_s} are those of the message (key: the same
 * however often it is sent, and for all that takes its place), {bearer} is a token that was asked for or signed, others
 * stand in "values". What is put in is escaped for its place.
 *
 * The address is an operator's and may be private, but http only on this machine. Redirects are not followed. */
#ifndef PUSH_ADAPTER_H
#define PUSH_ADAPTER_H

#include "base/buf.h"
#include "push/push.h"

#define ADAPTER_NAME_SIZE 33
#define ADAPTER_TO_MAX    4096 /* bytes of an address */

struct adapter_message {
        const char *to; /* a telephone number (E.164), or what an app was given for its device */
        const char *title, *text, *id, *type, *key;
        int64_t ttl_s;
        void *tag; /* comes back with the result */
};

/* For one thread. */
struct push_adapter;
/* Reads a description. NULL, with a sentence in error that shows no secret. */
struct push_adapter *push_adapter_read(const char *path, struct buf *error);
void push_adapter_free(struct push_adapter *adapter); /* not before its sender; takes NULL */
const char *push_adapter_name(const struct push_adapter *adapter);
/* Begins to send; nothing of the message is needed afterwards. False: at_once are on their way, or the provider is
 * being asked for a token: try again after push_wait. */
bool push_adapter_start(struct push_sender *sender, struct push_adapter *adapter,
                        const struct adapter_message *message);

#endif
