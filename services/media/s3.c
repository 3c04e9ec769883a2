/* Owns requests to S3, using libcurl: persistent connections, a signature per attempt, bodies from and to files. */
#include "services/media/s3.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/no_wait.h"
#include "base/spool.h"
#include "services/media/s3_private.h"
#include "services/media/s3_sign.h"

enum { KEPT = 8, CONNECT_MS = 5000, NAME_SIZE = 256, URL_SIZE = 4096, READ_BYTES = 1 << 16, SLOW_S = 20 };

static struct {
        char endpoint[NAME_SIZE], host[NAME_SIZE], bucket[64];
        char region[64], access_key[130], secret_key[130];
} s3;

/* --- options --- */

static bool refuse_setting(const char *setting, const char *why)
{
        log_event(LOG_LEVEL_ERROR, "a setting of the media bucket is invalid", LOG_STR("sonet.setting", setting),
                  LOG_STR("error.message", why));
        return false;
}

static bool copy_setting(char *to, size_t size, const char *from)
{
        int len = snprintf(to, size, "%s", from);
        return len > 0 && (size_t)len < size;
}

static bool take_bucket(const char *store)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
        const char *name = strncmp(store, "s3://", 5) == 0 ? store + 5 : "";

        return copy_setting(s3.bucket, sizeof(s3.bucket), name) && strspn(name, letters) == strlen(name);
}

static bool take_endpoint(const char *endpoint)
{
        const char *host = strstr(endpoint, "://");
        bool known = strncmp(endpoint, "http://", 7) == 0 || strncmp(endpoint, "https://", 8) == 0;

        return known && copy_setting(s3.endpoint, sizeof(s3.endpoint), endpoint) &&
               copy_setting(s3.host, sizeof(s3.host), host + 3) && s3.host[strcspn(s3.host, "/?#@ \t\r\n")] == '\0';
}

static bool take_keys(const char *keys)
{
        const char *colon = strchr(keys, ':');
        int len = colon != NULL ? (int)(colon - keys) : 0;

        return len > 0 && len < (int)sizeof(s3.access_key) &&
               copy_setting(s3.secret_key, sizeof(s3.secret_key), colon + 1) &&
               snprintf(s3.access_key, sizeof(s3.access_key), "%.*s", len, keys) == len;
}

bool s3_setup(const struct bucket_options *o)
{
        if (!take_bucket(o->store)) {
                return refuse_setting("MEDIA_STORE", "must be s3:// and the name of a bucket");
        }
        if (!take_endpoint(o->endpoint)) {
                return refuse_setting("MEDIA_S3_ENDPOINT",
                                      "must be https://HOST, or http://HOST:PORT, without anything behind it");
        }
        if (!copy_setting(s3.region, sizeof(s3.region), o->region)) {
                return refuse_setting("MEDIA_S3_REGION", "is missing or too long");
        }
        if (!take_keys(o->keys)) {
                return refuse_setting("MEDIA_S3_KEYS", "must be ACCESS_KEY:SECRET_KEY");
        }
        return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ||
               refuse_setting("MEDIA_STORE", "libcurl does not work");
}

/* --- handles, each with its connection --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static CURL *kept[KEPT];
static size_t n_kept;

static CURL *take_handle(void)
{
        CURL *curl = NULL;

        (void)pthread_mutex_lock(&lock);
        if (n_kept > 0) {
                curl = kept[--n_kept];
        }
        (void)pthread_mutex_unlock(&lock);
        return curl != NULL ? curl : curl_easy_init();
}

static void give_handle(CURL *curl)
{
        curl_easy_reset(curl);
        (void)pthread_mutex_lock(&lock);
        if (n_kept < KEPT) {
                kept[n_kept++] = curl;
                curl = NULL;
        }
        (void)pthread_mutex_unlock(&lock);
        if (curl != NULL) {
                curl_easy_cleanup(curl);
        }
}

/* --- bodies --- */

struct attempt {
        struct s3_exchange *x;
        CURL *curl;
        int64_t sent, received;
        char refusal[S3_REFUSAL_SIZE]; /* the beginning of an error response */
};

static size_t send_some(char *to, size_t size, size_t n, void *context)
{
        struct attempt *t = context;
        struct s3_exchange *x = t->x;
        int64_t left = x->size - t->sent;
        size_t want = size * n < (size_t)left ? size * n : (size_t)left;

        if (x->text != NULL) {
                memcpy(to, x->text + t->sent, want);
        } else {
                ssize_t got = pread(x->fd, to, want, x->offset + t->sent);
                if (got < 0 || (got == 0 && want > 0)) {
                        return CURL_READFUNC_ABORT;
                }
                want = (size_t)got;
        }
        t->sent += (int64_t)want;
        return want;
}

/* Allocates space for the whole body before writing its first byte. */
static bool write_file(struct attempt *t, const char *bytes, size_t len)
{
        curl_off_t length = 0;

        if (t->received == 0) {
                (void)curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
                if (!spool_has_room(t->x->to_fd, length)) {
                        return false;
                }
        }
        return spool_write_all(t->x->to_fd, bytes, len, t->received);
}

void s3_add_refusal(char refusal[S3_REFUSAL_SIZE], const char *bytes, size_t len)
{
        size_t have = strlen(refusal);

        (void)snprintf(refusal + have, S3_REFUSAL_SIZE - have, "%.*s", (int)len, bytes);
}

static size_t receive_some(char *bytes, size_t size, size_t n, void *context)
{
        struct attempt *t = context;
        size_t len = size * n;
        long status = 0;

        (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        if (status / 100 != 2) {
                s3_add_refusal(t->refusal, bytes, len);
        } else if (t->x->to_fd >= 0 && !write_file(t, bytes, len)) {
                return 0;
        } else if (t->x->answer != NULL) {
                buf_append(t->x->answer, bytes, len);
        }
        t->received += (int64_t)len;
        return len;
}

static size_t read_header(char *line, size_t size, size_t n, void *context)
{
        struct attempt *t = context;
        size_t len = size * n;

        if (len > 5 && strncasecmp(line, "etag:", 5) == 0) {
                (void)snprintf(t->x->etag, sizeof(t->x->etag), "%.*s", (int)(len - 5), line + 5);
                t->x->etag[strcspn(t->x->etag, "\r\n")] = '\0';
        }
        return len;
}

static bool hash_body(const struct s3_exchange *x, char hex[65])
{
        uint8_t bytes[READ_BYTES], digest[32];
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        bool ok = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;

        for (int64_t at = 0; ok && at < x->size;) {
                size_t want = x->size - at < READ_BYTES ? (size_t)(x->size - at) : READ_BYTES;
                ssize_t n = x->text != NULL ? (ssize_t)want : pread(x->fd, bytes, want, x->offset + at);

                ok = n > 0 &&
                     EVP_DigestUpdate(hash, x->text != NULL ? (const void *)(x->text + at) : bytes, (size_t)n) == 1;
                at += n;
        }
        ok = ok && EVP_DigestFinal_ex(hash, digest, NULL) == 1;
        EVP_MD_CTX_free(hash);
        for (size_t i = 0; ok && i < sizeof(digest); i++) {
                (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        }
        return ok;
}

/* --- one attempt --- */

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
        char line[S3_HEADER_SIZE + 40];

        (void)snprintf(line, sizeof(line), "%s: %s", name, value);
        struct curl_slist *longer = curl_slist_append(list, line);
        return longer != NULL ? longer : list;
}

static struct curl_slist *sign(const struct s3_exchange *x, const char *path, const char *sha256)
{
        char header[S3_HEADER_SIZE], at[S3_TIME_SIZE];
        int64_t now_s = (int64_t)time(NULL);

        s3_time(now_s, at);
        s3_sign(&(struct s3_request){x->method, s3.host, path, x->query, sha256, now_s},
                &(struct s3_keys){s3.region, s3.access_key, s3.secret_key}, header);
        struct curl_slist *list = add_header(NULL, "Host", s3.host); /* libcurl would omit a default port */
        list = add_header(list, "Authorization", header);
        list = add_header(list, "x-amz-content-sha256", sha256);
        list = add_header(list, "x-amz-date", at);
        return add_header(list, "Expect", "");
}

static void set_body(CURL *curl, struct attempt *t)
{
        bool sends = strcmp(t->x->method, "PUT") == 0 || strcmp(t->x->method, "POST") == 0;

        (void)curl_easy_setopt(curl, CURLOPT_NOBODY, (long)(strcmp(t->x->method, "HEAD") == 0));
        if (sends) {
                (void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
                (void)curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->x->size);
                (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_some);
                (void)curl_easy_setopt(curl, CURLOPT_READDATA, t);
        }
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, t->x->method);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive_some);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
        (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, read_header);
        (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
}

/* Redirects are not followed, since a signature is for one host. Stalled transfers are aborted before the deadline. */
static void set_limits(CURL *curl, int64_t left_ms)
{
        (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
        (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
}

void s3_take_code(const char *refusal, struct s3_exchange *x)
{
        const char *from = strstr(refusal, "<Code>");
        size_t len = from != NULL ? strspn(from + 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") : 0;

        (void)snprintf(x->code, S3_CODE_SIZE, "%.*s", (int)len, from != NULL ? from + 6 : "");
}

struct curl_slist *s3_prepare(CURL *curl, const struct s3_exchange *x, const char *sha256, int64_t left_ms)
{
        char path[NAME_SIZE], url[URL_SIZE];

        (void)snprintf(path, sizeof(path), "/%s/%s", s3.bucket, x->key);
        (void)snprintf(url, sizeof(url), "%s%s%s%s", s3.endpoint, path, x->query[0] != '\0' ? "?" : "", x->query);
        struct curl_slist *headers = sign(x, path, sha256);
        (void)curl_easy_setopt(curl, CURLOPT_URL, url);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        set_limits(curl, left_ms);
        return headers;
}

static CURLcode try_once(struct s3_exchange *x, const char *sha256, int64_t left_ms)
{
        struct attempt t = {.x = x, .curl = take_handle()};

        x->status = 0;
        if (t.curl == NULL) {
                return CURLE_OUT_OF_MEMORY;
        }
        if (x->answer != NULL) {
                buf_reset(x->answer);
        }
        struct curl_slist *headers = s3_prepare(t.curl, x, sha256, left_ms);
        set_body(t.curl, &t);
        CURLcode code = curl_easy_perform(t.curl);
        if (code == CURLE_OK) {
                curl_off_t length = 0;

                (void)curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &x->status);
                (void)curl_easy_getinfo(t.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
                x->length = length;
        }
        s3_take_code(t.refusal, x);
        give_handle(t.curl);
        curl_slist_free_all(headers);
        return code;
}

/* Local errors (a full disk, an unreadable file) are not the bucket's, so retrying does not help. */
bool s3_may_help(const struct s3_exchange *x, CURLcode code)
{
        return code != CURLE_WRITE_ERROR && code != CURLE_ABORTED_BY_CALLBACK &&
               (x->status == 0 || x->status == 429 || x->status >= 500);
}

static CURLcode try_some_times(struct s3_exchange *x, const char *sha256)
{
        int64_t until_us = clock_monotonic_us() + x->wait_ms * INT64_C(1000);
        int64_t left_ms = x->wait_ms, pause_ms = S3_PAUSE_MS;

        for (int i = 1;; i++, pause_ms *= 2) {
                CURLcode code = try_once(x, sha256, left_ms);

                left_ms = (until_us - clock_monotonic_us()) / 1000 - pause_ms;
                if (!s3_may_help(x, code) || i == S3_TRIES || left_ms <= 0) {
                        return code;
                }
                (void)usleep((useconds_t)(1000 * pause_ms));
        }
}

bool s3_is_missing(const struct s3_exchange *x)
{
        return x->status == 404 && x->key[0] != '\0' && x->method[0] != 'P' && /* not PUT or POST */
               strcmp(x->code, "NoSuchBucket") != 0;
}

void s3_log(const struct s3_exchange *x, CURLcode code)
{
        if (x->status / 100 != 2 && !s3_is_missing(x)) {
                log_event(LOG_LEVEL_WARN, "the media bucket rejects a request or cannot be reached",
                          LOG_STR("http.request.method", x->method), LOG_STR("url.path", x->key),
                          LOG_INT("http.response.status_code", x->status), LOG_STR("error.type", x->code),
                          LOG_STR("error.message", code != CURLE_OK ? curl_easy_strerror(code) : ""));
        }
}

void s3_exchange(struct s3_exchange *x)
{
        char computed[65] = "";

        NO_WAIT_ASSERT();
        x->status = 0;
        x->size = x->text != NULL ? (int64_t)strlen(x->text) : x->size;
        if (x->sha256 == NULL && !hash_body(x, computed)) {
                log_event(LOG_LEVEL_ERROR, "a media file cannot be read", LOG_STR("url.path", x->key));
                return;
        }
        CURLcode code = try_some_times(x, x->sha256 != NULL ? x->sha256 : computed);
        s3_log(x, code);
}
