/* Owns requests to push services: Web Push (RFC 8030). */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "push/parts.h"

enum { HEADER_SIZE = 1400 };

bool push_add_header(struct curl_slist **headers, const char *line)
{
        struct curl_slist *longer = curl_slist_append(*headers, line);

        if (longer != NULL) {
                *headers = longer;
        }
        return longer != NULL;
}

static bool add_headers(struct push_vapid *vapid, const struct push_message *message, struct curl_slist **headers)
{
        static const char *const urgencies[] = {"very-low", "low", "normal", "high"};
        char origin[PUSH_ORIGIN_SIZE], ttl[40], urgency[40], topic[64], authorization[HEADER_SIZE];
        bool with_topic = message->topic != NULL;

        (void)snprintf(ttl, sizeof(ttl), "TTL: %lld", (long long)message->ttl_s);
        (void)snprintf(urgency, sizeof(urgency), "Urgency: %s", urgencies[message->urgency]);
        (void)snprintf(topic, sizeof(topic), "Topic: %s", with_topic ? message->topic : "");
        return push_origin(message->to->endpoint, origin) &&
               push_vapid_header(vapid, origin, clock_wall_ms() / 1000, authorization, sizeof(authorization)) &&
               push_add_header(headers, ttl) && push_add_header(headers, urgency) &&
               (!with_topic || push_add_header(headers, topic)) && push_add_header(headers, authorization) &&
               push_add_header(headers, "Content-Encoding: aes128gcm") &&
               push_add_header(headers, "Content-Type: application/octet-stream") &&
               push_add_header(headers, "Expect:");
}

static enum push_outcome meaning_of(int status)
{
        if (status >= 200 && status < 300) {
                return PUSH_SENT;
        }
        if (status == 404 || status == 410) {
                return PUSH_GONE;
        }
        return status == 429 || status == 408 || status >= 500 ? PUSH_LATER : PUSH_REFUSED;
}

static void judge(void *context, struct str answer, struct push_result *out)
{
        out->outcome = meaning_of(out->status);
}

bool push_start(struct push_sender *sender, const struct push_message *message)
{
        struct push_request request = {
            .url = message->to->endpoint, .tag = message->tag, .judge = judge, .context = NULL};
        uint8_t body[PUSH_BODY_MAX];

        if (push_is_full(sender)) {
                return false;
        }
        request.len = push_encrypt(message->to, message->text, message->len, body);
        if (request.len > 0 && add_headers(push_sender_vapid(sender), message, &request.headers)) {
                request.body = body;
        }
        push_begin(sender, &request);
        return true;
}
