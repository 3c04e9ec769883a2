/* Owns communication with push services and other providers, using libcurl: many messages at once, on one thread. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "push/parts.h"

enum {
        CONNECT_MS = 5000,
        KEPT_CONNECTIONS = 32,
        CONNECTIONS_PER_HOST = 4, /* with HTTP/2 one carries a hundred messages */
        ANSWER_MAX_BYTES = 65536,
        ANSWER_KEPT_BYTES = 16384,
        MAX_RETRY_S = 86400,
};

struct transfer {
        struct push_sender *sender;
        CURL *curl;
        struct push_request request; /* except url and body, which libcurl has copied */
        int64_t started_us;
        struct buf answer; /* its first ANSWER_KEPT_BYTES */
        size_t answer_bytes, header_bytes;
        bool not_public;       /* the name resolved to such an address … */
        bool admitted;         /* … or to another, too */
        struct transfer *next; /* next in the list of those that failed before they were sent */
};

struct push_sender {
        struct push_options options;
        CURLM *multi;
        struct push_vapid *vapid;
        size_t n;
        struct transfer **all; /* the n transfers in progress */
        struct transfer *failed;
};

static void *check_memory(void *pointer)
{
        if (pointer == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        return pointer;
}

struct push_sender *push_sender_new(const struct push_options *options)
{
        struct push_sender *sender = check_memory(calloc(1, sizeof(*sender)));

        sender->options = *options;
        sender->all = check_memory(calloc(options->at_once, sizeof(struct transfer *)));
        sender->vapid = push_vapid_new(options->contact);
        sender->multi = check_memory(curl_multi_init());
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
        curl_slist_free_all(t->request.headers);
        buf_free(&t->answer);
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

/* Called with the actual address of the connection, so that a name cannot change between check and use. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
        struct transfer *t = context;
        uint8_t address[ADDRESS_BYTES];

        if (purpose != CURLSOCKTYPE_IPCXN || !address_from_socket(&to->addr, address)) {
                return CURL_SOCKET_BAD;
        }
        if (!t->request.trusted && !address_is_public(address) &&
            !networks_contain(&t->sender->options.also, address)) {
                t->not_public = true;
                return CURL_SOCKET_BAD;
        }
        t->admitted = true;
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t take_answer(char *bytes, size_t size, size_t n, void *context)
{
        struct transfer *t = context;

        t->answer_bytes += size * n;
        if (t->answer_bytes <= ANSWER_KEPT_BYTES) {
                buf_append(&t->answer, bytes, size * n);
        }
        return t->answer_bytes <= ANSWER_MAX_BYTES ? size * n : 0;
}

/* Interim responses (1xx) have header lines, too, and there may be any number of them. */
static size_t count_header(char *bytes, size_t size, size_t n, void *context)
{
        struct transfer *t = context;

        (void)bytes;
        t->header_bytes += size * n;
        return t->header_bytes <= ANSWER_MAX_BYTES ? size * n : 0;
}

static void set_bounds(struct transfer *t)
{
        CURL *curl = t->curl;

        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        /* Ignore proxies from the environment, which would connect for us. */
        (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
        (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                               t->request.trusted || t->sender->options.also.n > 0 ? "https,http" : "https");
        (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)t->sender->options.timeout_ms);
        (void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        (void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, t);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
        (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, count_header);
        (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
}

static void set_request(struct transfer *t)
{
        const struct push_request *r = &t->request;
        CURL *curl = t->curl;

        (void)curl_easy_setopt(curl, CURLOPT_URL, r->url);
        (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        /* Over TLS the handshake tells whether HTTP/2 is available, and a second message waits for that. Without TLS
         * only the first response does: with a silent service it would wait forever. */
        (void)curl_easy_setopt(curl, CURLOPT_PIPEWAIT, strncmp(r->url, "https:", 6) == 0 ? 1L : 0L);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)r->len);
        (void)curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, r->body);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, r->headers);
        (void)curl_easy_setopt(curl, CURLOPT_PRIVATE, t);
        if (r->ca != NULL) {
                (void)curl_easy_setopt(curl, CURLOPT_CAINFO, r->ca);
        }
}

struct push_vapid *push_sender_vapid(struct push_sender *sender)
{
        return sender->vapid;
}

bool push_is_full(const struct push_sender *sender)
{
        return sender->n == sender->options.at_once;
}

void push_begin(struct push_sender *sender, const struct push_request *request)
{
        struct transfer *t = check_memory(calloc(1, sizeof(*t)));

        t->sender = sender;
        t->request = *request;
        t->started_us = clock_monotonic_us();
        buf_init(&t->answer, ANSWER_KEPT_BYTES);
        sender->all[sender->n++] = t;
        if (request->body == NULL) {
                t->next = sender->failed;
                sender->failed = t;
                return;
        }
        t->curl = check_memory(curl_easy_init());
        set_bounds(t);
        set_request(t);
        if (curl_multi_add_handle(sender->multi, t->curl) != CURLM_OK) {
                check_memory(NULL);
        }
}

/* Why there is no response. */
static void describe_silence(struct transfer *t, CURLcode code, struct push_result *out)
{
        curl_off_t connected_us = 0;
        long error = 0;

        (void)curl_easy_getinfo(t->curl, CURLINFO_CONNECT_TIME_T, &connected_us);
        (void)curl_easy_getinfo(t->curl, CURLINFO_OS_ERRNO, &error);
        if (code == CURLE_OPERATION_TIMEDOUT) {
                (void)snprintf(out->reason, sizeof(out->reason), "no %s within %d ms",
                               connected_us > 0 ? "response" : "connection",
                               (int)((clock_monotonic_us() - t->started_us) / 1000));
        } else {
                bool refused = code == CURLE_COULDNT_CONNECT && error != 0;

                (void)snprintf(out->reason, sizeof(out->reason), "%s%s%s", curl_easy_strerror(code),
                               refused ? ": " : "", refused ? strerror((int)error) : "");
        }
}

static void set_outcome(struct transfer *t, CURLcode code, struct push_result *out)
{
        long status = 0;
        curl_off_t retry_s = 0;

        (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &retry_s);
        status = status < 200 ? 0 : status; /* an interim response is none */
        out->status = (int)status;
        out->retry_after_s = retry_s < 0 ? 0 : retry_s < MAX_RETRY_S ? retry_s : MAX_RETRY_S;
        if (status > 0) {
                (void)snprintf(out->reason, sizeof(out->reason), "HTTP %ld", status);
                t->request.judge(t->request.context, (struct str){t->answer.data, t->answer.len}, out);
        } else if (t->not_public && !t->admitted) { /* a browser's push service is public */
                out->outcome = PUSH_GONE;
                (void)snprintf(out->reason, sizeof(out->reason), "the address is not public");
        } else {
                out->outcome = PUSH_LATER;
                describe_silence(t, code, out);
        }
}

static void end_transfer(struct transfer *t, struct push_result *out)
{
        struct push_sender *sender = t->sender;

        out->tag = t->request.tag;
        out->took_us = clock_monotonic_us() - t->started_us;
        for (size_t i = 0; i < sender->n; i++) {
                if (sender->all[i] == t) {
                        sender->all[i] = sender->all[--sender->n];
                        break;
                }
        }
        transfer_free(t);
}

/* Returns results for transfers whose request could not be built. */
static size_t take_failed(struct push_sender *sender, struct push_result *results, size_t max)
{
        size_t n = 0;

        while (n < max && sender->failed != NULL) {
                struct transfer *t = sender->failed;

                sender->failed = t->next;
                results[n] = (struct push_result){.outcome = t->request.later != NULL ? PUSH_LATER : PUSH_REFUSED};
                (void)snprintf(results[n].reason, sizeof(results[n].reason), "%s",
                               t->request.later != NULL ? t->request.later
                                                        : "cannot build a request: too long, or an invalid key");
                end_transfer(t, &results[n++]);
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
                CURLcode code = done->data.result; /* done belongs to the handle, and is freed with it */

                (void)curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, (char **)&t);
                bool own = t->request.own;

                results[n] = (struct push_result){.status = 0};
                set_outcome(t, code, &results[n]);
                if (own && results[n].status == 0) { /* its owner waits for an outcome */
                        t->request.judge(t->request.context, (struct str){"", 0}, &results[n]);
                }
                end_transfer(t, &results[n]);
                n += !own;
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
