/* Owns formatting mails for the wire. */
#include "mail/message.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/str.h"

enum {
        LINE_CHARS = 76,         /* of quoted-printable, without CRLF */
        PLAIN_HEADER_CHARS = 60, /* longer ones become encoded words, which can be folded */
        WORD_BYTES = 42,         /* per encoded word: 56 characters of base64, at most 75 with everything around them */
        ADDRESS_BYTES_MAX = 254,
};

/* ---- Addresses ---- */

bool mail_address_fits(const char *address)
{
        const char *at = strchr(address, '@');
        size_t len = strlen(address);

        if (at == NULL || at == address || at[1] == '\0' || strchr(at + 1, '@') != NULL || len > ADDRESS_BYTES_MAX) {
                return false;
        }
        for (const char *c = address; *c != '\0'; c++) {
                if (*c <= ' ' || *c > '~' || strchr("\"(),:;<>[\\]", *c) != NULL) {
                        return false;
                }
        }
        return true;
}

bool mail_address_parse(struct arena *arena, const char *text, struct mail_address *out)
{
        struct str rest = str_trim(str_of(text));
        const char *open = memchr(rest.ptr, '<', rest.len);
        struct mail_address parsed = {"", str_dup(arena, rest)};

        if (open != NULL && rest.ptr[rest.len - 1] == '>') {
                struct str name = str_trim((struct str){rest.ptr, (size_t)(open - rest.ptr)});
                size_t before = (size_t)(open + 1 - rest.ptr);

                if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"') {
                        name = (struct str){name.ptr + 1, name.len - 2};
                }
                parsed =
                    (struct mail_address){str_dup(arena, name), arena_strndup(arena, open + 1, rest.len - before - 1)};
        }
        if (!mail_address_fits(parsed.address) || !utf8_valid(parsed.name, strlen(parsed.name))) {
                return false;
        }
        *out = parsed;
        return true;
}

/* ---- Encodings ---- */

static void append_base64(struct buf *out, const uint8_t *bytes, size_t len)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        for (size_t i = 0; i < len; i += 3) {
                uint32_t three = (uint32_t)bytes[i] << 16;

                three |= i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0;
                three |= i + 2 < len ? bytes[i + 2] : 0;
                buf_append_char(out, digits[three >> 18]);
                buf_append_char(out, digits[three >> 12 & 63]);
                buf_append_char(out, i + 1 < len ? digits[three >> 6 & 63] : '=');
                buf_append_char(out, i + 2 < len ? digits[three & 63] : '=');
        }
}

static bool is_plain_header(const char *text)
{
        if (strlen(text) > PLAIN_HEADER_CHARS || strstr(text, "=?") != NULL) {
                return false;
        }
        for (const char *c = text; *c != '\0'; c++) {
                if (*c < ' ' || *c > '~') {
                        return false;
                }
        }
        return true;
}

/* How many bytes to put into an encoded word without splitting a character. Bounded for invalid UTF-8, too. */
static size_t word_bytes(const char *text, size_t len)
{
        size_t n = len < WORD_BYTES ? len : WORD_BYTES;

        while (n > 1 && n < len && ((unsigned char)text[n] & 0xc0) == 0x80) {
                n--;
        }
        return n;
}

void mail_append_header_text(struct buf *out, const char *text)
{
        size_t len = strlen(text);

        if (is_plain_header(text)) {
                buf_append(out, text, len);
                return;
        }
        for (size_t at = 0; at < len;) {
                size_t n = word_bytes(text + at, len - at);

                buf_append_c(out, at > 0 ? "\r\n =?utf-8?B?" : "=?utf-8?B?");
                append_base64(out, (const uint8_t *)text + at, n);
                buf_append_c(out, "?=");
                at += n;
        }
}

/* Trailing white space would be lost in transport. */
static bool stands_as_it_is(const char *at)
{
        unsigned char c = (unsigned char)*at;

        return (c > ' ' && c <= '~' && c != '=') || (c == ' ' && at[1] != '\n' && at[1] != '\0');
}

void mail_append_quoted_printable(struct buf *out, const char *text)
{
        size_t column = 0;

        for (const char *at = text; *at != '\0'; at++) {
                size_t width = stands_as_it_is(at) ? 1 : 3;

                if (*at == '\n') {
                        buf_append_c(out, "\r\n");
                        column = 0;
                        continue;
                }
                if (column + width > LINE_CHARS - 1) { /* leave room for the '=' of the next break */
                        buf_append_c(out, "=\r\n");
                        column = 0;
                }
                if (width == 1) {
                        buf_append_char(out, *at);
                } else {
                        buf_printf(out, "=%02X", (unsigned char)*at);
                }
                column += width;
        }
}

/* ---- The message ---- */

static void append_date(struct buf *out, int64_t wall_ms)
{
        static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        time_t seconds = (time_t)(wall_ms / 1000);
        struct tm t;

        (void)gmtime_r(&seconds, &t);
        buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday, months[t.tm_mon],
                   t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

/* Quotes a name with special characters, escaping quotes in it. */
static void append_from(struct buf *out, const struct mail_address *from)
{
        buf_append_c(out, "From: ");
        if (from->name[0] == '\0') {
                buf_printf(out, "%s\r\n", from->address);
                return;
        }
        if (is_plain_header(from->name)) {
                buf_append_char(out, '"');
                for (const char *c = from->name; *c != '\0'; c++) {
                        buf_printf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
                }
                buf_append_char(out, '"');
        } else {
                mail_append_header_text(out, from->name);
        }
        buf_printf(out, " <%s>\r\n", from->address);
}

static void append_headers(struct buf *out, const struct mail_message *m)
{
        append_date(out, m->created_ms);
        append_from(out, &m->from);
        buf_printf(out, "To: %s\r\nSubject: ", m->to);
        mail_append_header_text(out, m->content->subject);
        buf_printf(out, "\r\nMessage-ID: <%s%s>\r\n", m->id, strchr(m->from.address, '@'));
        buf_append_c(out, "Auto-Submitted: auto-generated\r\n"); /* RFC 3834: suppresses out-of-office replies */
        if (m->unsubscribe_url != NULL) {
                buf_printf(out, "List-Unsubscribe: <%s>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
                           m->unsubscribe_url);
        }
        buf_printf(out, "MIME-Version: 1.0\r\nContent-Language: %s\r\n", m->content->language);
        buf_printf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", m->id);
}

static void append_part(struct buf *out, const char *boundary, const char *type, const char *text)
{
        buf_printf(out,
                   "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
                   boundary, type);
        mail_append_quoted_printable(out, text);
        buf_append_c(out, "\r\n");
}

void mail_message_append(struct buf *out, const struct mail_message *m)
{
        append_headers(out, m);
        append_part(out, m->id, "text/plain", m->content->text);
        append_part(out, m->id, "text/html", m->content->html);
        buf_printf(out, "--%s--\r\n", m->id);
}
