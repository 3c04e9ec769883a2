/* Owns the conversation with push services, by libcurl: many messages at once, one thread. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>
#include "base/clock.h"
#include "push/parts.h"

enum {
        CONNECT_MS = 5000,
        KEPT_CONNECTIONS = 32,
        CONNECTIONS_PER_HOST = 4, /* with HTTP/2 one takes a hundred messages */
        ANSWER_MAX_BYTES = 65536, /* nothing of it is needed */
        MAX_RETRY_S = 86400,
        HEADER_SIZE = 1400,
};

struct transfer {
        struct push_sender *sender;
        CURL *curl;
        struct curl_slist *headers;
        void *tag;
        uint8_t body[PUSH_BODY_MAX];
        int64_t started_us;
        size_t answer_bytes;
        bool not_public;       /* what its name resolved to */
        struct transfer *next; /* of those that failed before they were sent */
};

struct push_sender {
        struct push_options options;
        CURLM *multi;
        struct push_vapid *vapid;
        size_t n;
        struct transfer **all; /* those on their way: n of them */
        struct transfer *failed;
};

static void *need(void *pointer)
{
        if (pointer == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        return pointer;
}

struct push_sender *push_sender_new(const struct push_options *options)
{
        struct push_sender *sender = need(calloc(1, sizeof(*sender)));

        sender->options = *options;
        sender->all = need(calloc(options->at_once, sizeof(struct transfer *)));
        sender->vapid = push_vapid_new(options->contact);
        sender->multi = need(curl_multi_init());
        (void)curl_multi_setopt(sender->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
        (void)curl_multi_setopt(sender->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_PER_HOST);
        (void)curl_multi_setopt(sender->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
        return sender;
}

static void transfer_free(struct transfer *t)
{
        if (t->curl != NULL) {
                (void)curl_multi_remove_handle(t->sender->multi, t->curl);
                curl_easy_cleanup(t->curl);
        }
        curl_slist_free_all(t->headers);
        free(t);
}

void push_sender_free(struct push_sender *sender)
{
        if (sender == NULL) {
                return;
        }
        for (size_t i = 0; i < sender->n; i++) {
                transfer_free(sender->all[i]);
        }
        curl_multi_cleanup(sender->multi);
        push_vapid_free(sender->vapid);
        free(sender->all);
        free(sender);
}

/* Called with the very address that is connected to, so that a name cannot change between the check and the use. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
        struct transfer *t = context;
        uint8_t address[ADDRESS_BYTES];

        if (purpose != CURLSOCKTYPE_IPCXN || !address_from_socket(&to->addr, address)) {
                return CURL_SOCKET_BAD;
        }
        if (!address_is_public(address) && !networks_contain(&t->sender->options.also, address)) {
                t->not_public = true;
                return CURL_SOCKET_BAD;
        }
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t take_answer(char *bytes, size_t size, size_t n, void *context)
{
        struct transfer *t = context;

        t->answer_bytes += size * n;
        return t->answer_bytes <= ANSWER_MAX_BYTES ? size * n : 0;
}

static bool add_header(struct transfer *t, const char *line)
{
        struct curl_slist *longer = curl_slist_append(t->headers, line);

        if (longer != NULL) {
                t->headers = longer;
        }
        return longer != NULL;
}

static bool add_headers(struct transfer *t, const struct push_message *message)
{
        static const char *const urgencies[] = {"very-low", "low", "normal", "high"};
        char origin[PUSH_ORIGIN_SIZE], ttl[40], urgency[40], topic[64], authorization[HEADER_SIZE];
        bool with_topic = message->topic != NULL;

        (void)snprintf(ttl, sizeof(ttl), "TTL: %lld", (long long)message->ttl_s);
        (void)snprintf(urgency, sizeof(urgency), "Urgency: %s", urgencies[message->urgency]);
        (void)snprintf(topic, sizeof(topic), "Topic: %s", with_topic ? message->topic : "");
        return push_origin(message->to->endpoint, origin) &&
               push_vapid_header(t->sender->vapid, origin, clock_wall_ms() / 1000, authorization,
                                 sizeof(authorization)) &&
               add_header(t, ttl) && add_header(t, urgency) && (!with_topic || add_header(t, topic)) &&
               add_header(t, authorization) && add_header(t, "Content-Encoding: aes128gcm") &&
               add_header(t, "Content-Type: application/octet-stream") && add_header(t, "Expect:");
}

static void set_bounds(struct transfer *t)
{
        CURL *curl = t->curl;

        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* none from the environment: it would connect for us */
        (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, t->sender->options.also.n > 0 ? "https,http" : "https");
        (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)t->sender->options.timeout_ms);
        (void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        (void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
}

static void set_request(struct transfer *t, const char *url, size_t len)
{
        CURL *curl = t->curl;

        (void)curl_easy_setopt(curl, CURLOPT_URL, url);
        (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        /* Over TLS the handshake says whether there is HTTP/2, and a second message waits for that long. Without it
         * only the first answer does: behind a service that is silent it would wait for ever. */
        (void)curl_easy_setopt(curl, CURLOPT_PIPEWAIT, strncmp(url, "https:", 6) == 0 ? 1L : 0L);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, t->body);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)len);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, t->headers);
        (void)curl_easy_setopt(curl, CURLOPT_PRIVATE, t);
}

bool push_start(struct push_sender *sender, const struct push_message *message)
{
        struct transfer *t;
        size_t len;

        if (sender->n == sender->options.at_once) {
                return false;
        }
        t = need(calloc(1, sizeof(*t)));
        t->sender = sender;
        t->tag = message->tag;
        t->started_us = clock_monotonic_us();
        sender->all[sender->n++] = t;
        len = push_encrypt(message->to, message->text, message->len, t->body);
        if (len == 0 || !add_headers(t, message)) {
                t->next = sender->failed;
                sender->failed = t;
                return true;
        }
        t->curl = need(curl_easy_init());
        set_bounds(t);
        set_request(t, message->to->endpoint, len);
        if (curl_multi_add_handle(sender->multi, t->curl) != CURLM_OK) {
                need(NULL);
        }
        return true;
}

static enum push_outcome meaning_of(long status)
{
        if (status >= 200 && status < 300) {
                return PUSH_SENT;
        }
        if (status == 404 || status == 410) {
                return PUSH_GONE;
        }
        return status == 429 || status == 408 || status >= 500 ? PUSH_LATER : PUSH_REFUSED;
}

static void judge(const struct transfer *t, CURLcode code, struct push_result *out)
{
        long status = 0;
        curl_off_t retry_s = 0;

        (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &retry_s);
        out->status = (int)status;
        out->retry_after_s = retry_s < 0 ? 0 : retry_s < MAX_RETRY_S ? retry_s : MAX_RETRY_S;
        if (status > 0) {
                out->outcome = meaning_of(status);
                (void)snprintf(out->reason, sizeof(out->reason), "HTTP %ld", status);
        } else if (t->not_public) {
                out->outcome = PUSH_REFUSED;
                (void)snprintf(out->reason, sizeof(out->reason), "the push service's address is not public");
        } else {
                out->outcome = PUSH_LATER;
                (void)snprintf(out->reason, sizeof(out->reason), "%s", curl_easy_strerror(code));
        }
}

static void finish(struct transfer *t, struct push_result *out)
{
        struct push_sender *sender = t->sender;

        out->tag = t->tag;
        out->took_us = clock_monotonic_us() - t->started_us;
        for (size_t i = 0; i < sender->n; i++) {
                if (sender->all[i] == t) {
                        sender->all[i] = sender->all[--sender->n];
                        break;
                }
        }
        transfer_free(t);
}

/* Those that could not even be encrypted. */
static size_t take_failed(struct push_sender *sender, struct push_result *results, size_t max)
{
        size_t n = 0;

        while (n < max && sender->failed != NULL) {
                struct transfer *t = sender->failed;

                sender->failed = t->next;
                results[n] = (struct push_result){.outcome = PUSH_REFUSED,
                                                  .reason = "it cannot be encrypted: too long, or the key is bad"};
                finish(t, &results[n++]);
        }
        return n;
}

static size_t take_done(struct push_sender *sender, struct push_result *results, size_t max)
{
        size_t n = 0;
        int left;
        CURLMsg *done;

        while (n < max && (done = curl_multi_info_read(sender->multi, &left)) != NULL) {
                struct transfer *t = NULL;
                CURLcode code = done->data.result; /* done is the handle's, and ends with it */

                (void)curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, (char **)&t);
                results[n] = (struct push_result){.status = 0};
                judge(t, code, &results[n]);
                finish(t, &results[n++]);
        }
        return n;
}

bool push_is_busy(const struct push_sender *sender)
{
        return sender->n > 0;
}

size_t push_wait(struct push_sender *sender, int wait_ms, struct push_result *results, size_t max)
{
        int64_t until_us = clock_monotonic_us() + INT64_C(1000) * wait_ms;
        size_t n = take_failed(sender, results, max);

        while (n == 0 && sender->n > 0) {
                int64_t left_us = until_us - clock_monotonic_us();
                int running;

                (void)curl_multi_perform(sender->multi, &running);
                n = take_done(sender, results, max);
                if (n > 0 || left_us <= 0) {
                        break;
                }
                (void)curl_multi_poll(sender->multi, NULL, 0, (int)(left_us / 1000) + 1, NULL);
        }
        return n;
}
