/* Owns validating subscriptions. */
#include <curl/curl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "auth/base64url.h"
#include "auth/keys.h"
#include "push/parts.h"

enum { HTTPS_PORT = 443, LEAST_OTHER_PORT = 1024 };

struct endpoint {
        char *scheme, *user, *host, *port;
};

static void endpoint_free(struct endpoint *e)
{
        curl_free(e->scheme);
        curl_free(e->user);
        curl_free(e->host);
        curl_free(e->port);
}

/* Parsed by the same code that will connect. False: not an absolute URL. */
static bool endpoint_read(const char *text, struct endpoint *e)
{
        CURLU *url = curl_url();

        *e = (struct endpoint){.scheme = NULL};
        if (url == NULL) {
                abort();
        }
        bool good = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                    curl_url_get(url, CURLUPART_SCHEME, &e->scheme, 0) == CURLUE_OK &&
                    curl_url_get(url, CURLUPART_HOST, &e->host, 0) == CURLUE_OK &&
                    curl_url_get(url, CURLUPART_PORT, &e->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
        (void)curl_url_get(url, CURLUPART_USER, &e->user, 0);
        curl_url_cleanup(url);
        return good;
}

/* Checks its host as far as possible without resolving it. */
enum host_kind { HOST_NAME, HOST_PUBLIC, HOST_ALLOWED, HOST_PRIVATE };

static enum host_kind kind_of_host(const struct push_options *options, const char *host)
{
        uint8_t address[ADDRESS_BYTES];
        size_t len = strlen(host);
        struct str text = host[0] == '[' && len > 2 ? (struct str){host + 1, len - 2} : str_of(host);

        if (!address_parse(text, address)) {
                return HOST_NAME;
        }
        return networks_contain(&options->also, address) ? HOST_ALLOWED
               : address_is_public(address)              ? HOST_PUBLIC
                                                         : HOST_PRIVATE;
}

static bool is_plain(const char *text)
{
        for (; *text != '\0'; text++) {
                if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\') {
                        return false;
                }
        }
        return true;
}

static const char *check_parts(const struct push_options *options, const struct endpoint *e)
{
        enum host_kind kind = kind_of_host(options, e->host);
        bool other = kind == HOST_ALLOWED;
        long port = strtol(e->port, NULL, 10);

        if (strcmp(e->scheme, "https") != 0 && !(other && strcmp(e->scheme, "http") == 0)) {
                return "must be an https URL, as in a browser's PushSubscription.endpoint";
        }
        if (kind == HOST_PRIVATE) {
                return "must be a public address";
        }
        if (e->user != NULL) {
                return "must not contain a user name";
        }
        if (port != HTTPS_PORT && port < LEAST_OTHER_PORT && !other) {
                return "must use port 443 or a port above 1023";
        }
        return NULL;
}

static const char *check_endpoint(const struct push_options *options, const char *text)
{
        struct endpoint e = {.scheme = NULL};
        const char *problem;
        char origin[PUSH_ORIGIN_SIZE];

        if (strlen(text) > PUSH_ENDPOINT_MAX || !is_plain(text) || !endpoint_read(text, &e) ||
            !push_origin(text, origin)) {
                problem =
                    "must be an absolute URL of at most 2048 characters, as in a browser's PushSubscription.endpoint";
        } else {
                problem = check_parts(options, &e);
        }
        endpoint_free(&e);
        return problem;
}

static bool is_on_curve(const uint8_t point[PUSH_POINT_BYTES])
{
        EVP_PKEY *key = push_key(point);

        EVP_PKEY_free(key);
        return key != NULL;
}

static bool read_bytes(const char *text, uint8_t *out, size_t size)
{
        size_t len = 0;

        return base64url_decode(str_of(text), out, size, &len) && len == size;
}

const char *push_read_subscription(const struct push_options *options, const char *endpoint, const char *p256dh,
                                   const char *auth, struct push_subscription *out, const char **field)
{
        const char *problem = check_endpoint(options, endpoint);

        out->endpoint = endpoint;
        if (problem != NULL) {
                *field = "endpoint";
        } else if (!read_bytes(p256dh, out->point, sizeof(out->point)) || !is_on_curve(out->point)) {
                *field = "p256dh";
                problem =
                    "must be an uncompressed P-256 point in base64url, as returned by a browser's getKey(\"p256dh\")";
        } else if (!read_bytes(auth, out->secret, sizeof(out->secret))) {
                *field = "auth";
                problem = "must be 16 bytes in base64url, as returned by a browser's getKey(\"auth\")";
        }
        return problem;
}

bool push_may_be_silent(const char *origin)
{
        static const char apple[] = ".push.apple.com";
        size_t len = strlen(origin), n = sizeof(apple) - 1;

        return len < n || strcmp(origin + len - n, apple) != 0;
}

bool push_origin(const char *text, char out[PUSH_ORIGIN_SIZE])
{
        struct endpoint e;
        int len = -1;

        if (endpoint_read(text, &e) && is_plain(e.host)) {
                bool usual = strcmp(e.port, strcmp(e.scheme, "https") == 0 ? "443" : "80") == 0;

                len = snprintf(out, PUSH_ORIGIN_SIZE, "%s://%s%s%s", e.scheme, e.host, usual ? "" : ":",
                               usual ? "" : e.port);
        }
        endpoint_free(&e);
        return len > 0 && len < PUSH_ORIGIN_SIZE;
}

char *push_topic(const char *collapse_key, char out[PUSH_TOPIC_CHARS + 1])
{
        uint8_t key[crypto_auth_hmacsha256_KEYBYTES], mac[crypto_auth_hmacsha256_BYTES];

        keys_derive("web-push-topic", key);
        crypto_auth_hmacsha256(mac, (const uint8_t *)collapse_key, strlen(collapse_key), key);
        return base64url_encode(mac, PUSH_TOPIC_CHARS * 3 / 4, out);
}
