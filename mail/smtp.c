/* Owns the SMTP client, using libcurl: one connection, kept between mails. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "mail/parts.h"

#define CONNECT_MS 15000L

/* The stage of a transaction, which determines the meaning of a rejection. */
enum stage { STAGE_SESSION, STAGE_RECIPIENT, STAGE_DATA };

struct mail_smtp {
        CURL *curl;
        const struct mail_options *options;
        const atomic_bool *stopping;
        const struct mail_item *item;
        size_t sent_bytes;
        enum stage stage;
        curl_socket_t socket; /* of the connection */
        bool quits;           /* the server's response to QUIT concerns no mail */
        char status[16];      /* of the server's last line: "550 5.1.1" */
};

static size_t give_bytes(char *to, size_t size, size_t n, void *context)
{
        struct mail_smtp *s = context;
        size_t left = s->item->message_len - s->sent_bytes;
        size_t taken = left < size * n ? left : size * n;

        memcpy(to, s->item->message + s->sent_bytes, taken);
        s->sent_bytes += taken;
        return taken;
}

/* curl starts over if a kept connection turns out to be closed. */
static int give_again(void *context, curl_off_t offset, int origin)
{
        struct mail_smtp *s = context;

        if (origin != SEEK_SET || offset < 0 || (size_t)offset > s->item->message_len) {
                return CURL_SEEKFUNC_FAIL;
        }
        s->sent_bytes = (size_t)offset;
        return CURL_SEEKFUNC_OK;
}

static int keep_going(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
        const struct mail_smtp *s = context;

        return atomic_load(s->stopping) ? 1 : 0;
}

/* The digits and dots at the start of a line: the rest may contain addresses. */
static void keep_status(struct mail_smtp *s, const char *line, size_t len)
{
        size_t n = 0;

        while (n < len && n + 1 < sizeof(s->status) && strchr("0123456789. ", line[n]) != NULL) {
                n++;
        }
        while (n > 0 && line[n - 1] == ' ') {
                n--;
        }
        memcpy(s->status, line, n);
        s->status[n] = '\0';
}

static int note_socket(void *context, curl_socket_t socket, curlsocktype purpose)
{
        struct mail_smtp *s = context;

        (void)purpose;
        s->socket = socket;
        return CURL_SOCKOPT_OK;
}

static int close_socket(void *context, curl_socket_t socket)
{
        struct mail_smtp *s = context;

        s->socket = s->socket == socket ? CURL_SOCKET_BAD : s->socket;
        return close(socket);
}

/* curl would wait two minutes for the response to QUIT, whatever the time limit: longer than a stop may take. */
static void stop_listening(const struct mail_smtp *s)
{
        if (s->socket != CURL_SOCKET_BAD) {
                (void)shutdown(s->socket, SHUT_RD);
        }
}

static int follow_session(CURL *curl, curl_infotype type, char *data, size_t len, void *context)
{
        struct mail_smtp *s = context;
        struct str line = {data, len};

        if (type == CURLINFO_HEADER_OUT) {
                s->quits = str_starts(line, STR("QUIT"));
                if (s->quits) {
                        stop_listening(s);
                }
                s->stage = str_starts(line, STR("RCPT "))  ? STAGE_RECIPIENT
                           : str_starts(line, STR("DATA")) ? STAGE_DATA
                                                           : s->stage;
        } else if (type == CURLINFO_HEADER_IN && len > 3 && data[3] == ' ' && !s->quits) {
                keep_status(s, data, len);
        }
        return 0;
}

static void set_tls(CURL *curl, const struct mail_options *o)
{
        (void)curl_easy_setopt(curl, CURLOPT_USE_SSL, o->tls_required ? CURLUSESSL_ALL : CURLUSESSL_TRY);
        (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, o->tls_required ? 1L : 0L);
        (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, o->tls_required ? 2L : 0L);
        if (o->smtp_ca[0] != '\0') {
                (void)curl_easy_setopt(curl, CURLOPT_CAINFO, o->smtp_ca);
        }
}

static void set_options(struct mail_smtp *s)
{
        CURL *curl = s->curl;

        (void)curl_easy_setopt(curl, CURLOPT_URL, s->options->smtp_url);
        (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        (void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, s->options->from.address);
        (void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* ignore proxies from the environment */
        (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)s->options->timeout_ms);
        (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_bytes);
        (void)curl_easy_setopt(curl, CURLOPT_READDATA, s);
        (void)curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, give_again);
        (void)curl_easy_setopt(curl, CURLOPT_SEEKDATA, s);
        (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, keep_going);
        (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, s);
        (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        (void)curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, note_socket);
        (void)curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, s);
        (void)curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
        (void)curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, s);
        (void)curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, follow_session);
        (void)curl_easy_setopt(curl, CURLOPT_DEBUGDATA, s);
        (void)curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* passed only to follow_session */
        set_tls(curl, s->options);
}

struct mail_smtp *mail_smtp_new(const struct mail_options *options, const atomic_bool *stopping)
{
        struct mail_smtp *s = calloc(1, sizeof(*s));
        CURL *curl = curl_easy_init();

        if (s == NULL || curl == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        *s = (struct mail_smtp){.curl = curl, .options = options, .stopping = stopping, .socket = CURL_SOCKET_BAD};
        set_options(s);
        return s;
}

void mail_smtp_free(struct mail_smtp *s)
{
        if (s != NULL) {
                stop_listening(s); /* its connection ends without follow_session */
                curl_easy_cleanup(s->curl);
                free(s);
        }
}

/* A rejection of the recipient or of the message concerns this mail; anything else concerns the connection or us. */
static enum mail_outcome outcome_of_transfer(const struct mail_smtp *s, CURLcode code)
{
        if (code == CURLE_OK) {
                return MAIL_SENT;
        }
        if (code == CURLE_ABORTED_BY_CALLBACK || s->stage == STAGE_SESSION || strncmp(s->status, "421", 3) == 0) {
                return MAIL_UNREACHABLE;
        }
        return s->status[0] == '5' ? MAIL_REFUSED : MAIL_DEFERRED;
}

/* 5.7.x is a policy, or distrust of us (RFC 3463, 3.8). */
static bool is_bounce(const struct mail_smtp *s)
{
        return s->stage == STAGE_RECIPIENT && s->status[0] == '5' && strstr(s->status, " 5.7.") == NULL;
}

void mail_smtp_send(struct mail_smtp *s, const struct mail_item *item, struct mail_result *result)
{
        struct curl_slist *recipients = curl_slist_append(NULL, item->to);
        CURLcode code;

        s->item = item;
        s->sent_bytes = 0;
        s->stage = STAGE_SESSION;
        s->status[0] = '\0';
        (void)curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, recipients);
        code = curl_easy_perform(s->curl);
        (void)curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, NULL);
        curl_slist_free_all(recipients);
        result->outcome = outcome_of_transfer(s, code);
        result->bounced = result->outcome == MAIL_REFUSED && is_bounce(s);
        (void)snprintf(result->reason, sizeof(result->reason), "%s%s%s", s->status, s->status[0] != '\0' ? " " : "",
                       code == CURLE_OK ? "" : curl_easy_strerror(code));
}
