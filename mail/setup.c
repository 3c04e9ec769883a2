/* Owns the settings of mail. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <curl/curl.h>
#include "mail/parts.h"

static struct mail_options options;
static struct arena *kept; /* lives as long as the process */

const struct mail_options *mail_options(void)
{
        return &options;
}

const char *mail_network(void)
{
        return options.from.name[0] != '\0' ? options.from.name : "SoNet";
}

char *mail_page(struct arena *arena, const char *path)
{
        return arena_printf(arena, "%s%s", options.pages, path);
}

/* The host of smtp://[user[:password]@]host[:port][/name]. */
static const char *host_of(struct arena *arena, const char *url)
{
        const char *start = strstr(url, "://") + 3;
        size_t len = strcspn(start, "/?#");
        const char *at = memrchr(start, '@', len);

        if (at != NULL) {
                start = at + 1;
        }
        return start[0] == '[' ? arena_strndup(arena, start + 1, strcspn(start + 1, "]"))
                               : arena_strndup(arena, start, strcspn(start, ":/?#"));
}

static sn_status check_url(const char *url, struct buf *error)
{
        CURLU *parsed = curl_url();
        char *host = NULL;
        bool good = (strncmp(url, "smtp://", 7) == 0 || strncmp(url, "smtps://", 8) == 0) &&
                    curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                    curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK;

        curl_free(host);
        curl_url_cleanup(parsed);
        if (!good) {
                buf_append_c(error, "SMTP_URL must be smtp://user:password@host:587 (STARTTLS) or "
                                    "smtps://user:password@host:465, with special characters in user or password "
                                    "written as %XX");
        }
        return good ? SN_OK : SN_INVALID_ARGUMENT;
}

static sn_status check_ca(const char *path, struct buf *error)
{
        if (path[0] == '\0' || access(path, R_OK) == 0) {
                return SN_OK;
        }
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread is running */
        buf_printf(error, "SMTP_CA=%s cannot be read: %s", path, strerror(errno));
        return SN_INVALID_ARGUMENT;
}

static sn_status read_from(const struct settings *s, struct buf *error)
{
        if (s->mail_from[0] == '\0' && s->smtp_url[0] != '\0') {
                buf_append_c(error,
                             "SMTP_URL needs MAIL_FROM, the sender of all mails: Our Network <no-reply@example.org>");
                return SN_INVALID_ARGUMENT;
        }
        if (!mail_address_parse(kept, s->mail_from[0] != '\0' ? s->mail_from : "SoNet <sonet@localhost>",
                                &options.from)) {
                buf_printf(
                    error,
                    "MAIL_FROM=%s must be an address, or a name and an address: Our Network <no-reply@example.org>",
                    s->mail_from);
                return SN_INVALID_ARGUMENT;
        }
        return SN_OK;
}

/* Without either URL members are on this machine, and this process is the gateway. */
static const char *pages_of(const struct settings *s)
{
        struct str url = str_of(s->pages_url[0] != '\0' ? s->pages_url : s->public_url);

        while (url.len > 0 && url.ptr[url.len - 1] == '/') {
                url.len--;
        }
        return url.len > 0 ? str_dup(kept, url) : arena_printf(kept, "http://localhost:%d", (int)s->http_port);
}

sn_status mail_setup(const struct settings *s, struct buf *error)
{
        arena_free(kept);
        kept = arena_new(16384);
        options = (struct mail_options){
            .smtp_url = s->smtp_url,
            .smtp_ca = s->smtp_ca,
            .folder = s->mail_dir,
            .pages = pages_of(s),
            .connections = (int)s->mail_connections,
            .timeout_ms = (int)s->smtp_timeout_ms,
            .domain_rate = (int)s->mail_domain_rate,
        };
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
                buf_append_c(error, "cannot initialise libcurl");
                return SN_INTERNAL;
        }
        TRY(read_from(s, error));
        if (s->smtp_url[0] == '\0') {
                return SN_OK;
        }
        TRY(check_url(s->smtp_url, error));
        TRY(check_ca(s->smtp_ca, error));
        options.tls_required = s->smtp_ca[0] != '\0' || !settings_is_loopback(host_of(kept, s->smtp_url));
        return SN_OK;
}
