/* Formats the head of a response into one allocation of the right size. */
#include "http/internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { STATUS_LINE_MAX = 64, DATE_MAX = HTTP_DATE_SIZE, LENGTH_MAX = 40, CONNECTION_MAX = 26 };

static const struct reason {
        int status;
        const char *text;
} reasons[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {460, "Checksum Mismatch"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_reason(int status)
{
        for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
                if (reasons[i].status == status) {
                        return reasons[i].text;
                }
        }
        return "";
}

/* strftime would use the locale's language. */
char *http_date_of(char text[HTTP_DATE_SIZE], int64_t seconds)
{
        static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t when = (time_t)seconds;
        struct tm t;
        text[0] = '\0';
        if (gmtime_r(&when, &t) != NULL) {
                snprintf(text, HTTP_DATE_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + (size_t)t.tm_wday * 3,
                         t.tm_mday, months + (size_t)t.tm_mon * 3, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
        }
        return text;
}

/* Formatted once per second by each thread. */
const char *http_date(void)
{
        static __thread int64_t made_for = -1;
        static __thread char line[HTTP_DATE_SIZE];
        int64_t now = clock_wall_ms() / 1000;
        if (now != made_for) {
                made_for = now;
                http_date_of(line, now);
        }
        return line;
}

static bool is_one_line(const char *text)
{
        return strpbrk(text, "\r\n") == NULL;
}

static size_t room_for(const struct http_response *response)
{
        size_t bytes = STATUS_LINE_MAX + DATE_MAX + LENGTH_MAX + CONNECTION_MAX + 2;
        for (size_t i = 0; i < response->n_headers; i++) {
                bytes += strlen(response->headers[i].name) + strlen(response->headers[i].value) + 4;
        }
        return bytes;
}

static void put_text(struct http_exchange *x, const char *text)
{
        size_t len = strlen(text);
        memcpy(x->head + x->head_len, text, len);
        x->head_len += len;
}

static void put_number(struct http_exchange *x, size_t number)
{
        char digits[21];
        size_t at = sizeof(digits) - 1;
        digits[at] = '\0';
        do {
                digits[--at] = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        put_text(x, digits + at);
}

/* RFC 9110, 8.6: these have no body and no Content-Length. */
bool http_status_has_no_length(int status)
{
        return status == 204 || status == 304;
}

static void put_framing(struct http_exchange *x, const struct http_response *response)
{
        int status = response->status;

        put_text(x, "HTTP/1.1 ");
        put_number(x, (size_t)status);
        put_text(x, " ");
        put_text(x, http_reason(status));
        put_text(x, "\r\n");
        put_text(x, "Date: ");
        put_text(x, http_date());
        put_text(x, "\r\n");
        if (x->upgrade != NULL) {
                return;
        }
        if (!http_status_has_no_length(status) && !response->no_length) {
                put_text(x, "Content-Length: ");
                put_number(x, x->file != NULL ? (size_t)x->file->length : x->answer.len);
                put_text(x, "\r\n");
        }
        if (x->close) {
                put_text(x, "Connection: close\r\n");
        } else if (x->http_10) {
                put_text(x, "Connection: Keep-Alive\r\n");
        }
}

/* A body that overflowed must not be sent. */
void http_answer_check(struct http_response *response)
{
        int least = response->upgrade != NULL ? 101 : 200;
        if (response->body.overflow || response->status < least || response->status > 599) {
                buf_free(&response->body);
                response->status = 500;
                response->n_headers = 0;
        }
}

void http_answer_take(struct http_exchange *x, struct http_response *response)
{
        http_answer_check(response);
        x->answer = response->body;
        x->upgrade = response->upgrade;
        x->upgrade_context = response->upgrade_context;
        http_file_begin(x, response);
        x->close =
            response->close || !x->keep_alive || atomic_load_explicit(&x->server->stopping, memory_order_relaxed);
        x->head = arena_alloc(x->request.arena, room_for(response));
        x->head_len = 0;
        put_framing(x, response);
        for (size_t i = 0; i < response->n_headers; i++) {
                const struct http_header *h = &response->headers[i];
                if (is_one_line(h->name) && is_one_line(h->value)) {
                        put_text(x, h->name);
                        put_text(x, ": ");
                        put_text(x, h->value);
                        put_text(x, "\r\n");
                }
        }
        put_text(x, "\r\n");
        x->answer_len = x->is_head || http_status_has_no_length(response->status) ? 0 : x->answer.len;
        x->sent = 0;
        http_unread_add(x->connection->loop, x->head_len + x->answer_len);
}
