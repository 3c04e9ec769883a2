/* The log: each line is formatted on the stack and written with one write(2), so that lines of different threads do
 * not mix. Fields that do not fit are left out entirely: a line is always well-formed. Another thread writes the
 * lines of event loops (log_queue.h). */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_queue.h"
#include "base/str.h"

enum { LINE_BYTES = 8192, VALUE_BYTES = 1024, TAIL_BYTES = 8 };

struct line {
        char bytes[LINE_BYTES];
        size_t len;
        bool cut; /* something did not fit since the last field began */
};

static struct {
        char service[64];
        enum log_level least;
        bool json, colour;
} setup = {.service = "sonet", .least = LOG_LEVEL_INFO, .json = true};

static const struct {
        const char *json, *text, *colour;
} levels[] = {
    [LOG_LEVEL_DEBUG] = {"debug", "DEBUG", "\033[2m"},
    [LOG_LEVEL_INFO] = {"info", "INFO ", "\033[32m"},
    [LOG_LEVEL_WARN] = {"warn", "WARN ", "\033[33m"},
    [LOG_LEVEL_ERROR] = {"error", "ERROR", "\033[31m"},
};

void log_setup(const char *service, enum log_level least, enum log_format format)
{
        bool terminal = isatty(STDERR_FILENO) == 1;
        snprintf(setup.service, sizeof(setup.service), "%s", service);
        setup.least = least;
        setup.json = format == LOG_FORMAT_JSON || (format == LOG_FORMAT_AUTO && !terminal);
        setup.colour = terminal && !setup.json;
}

bool log_enabled(enum log_level level)
{
        return level >= setup.least;
}

static void put_bytes(struct line *l, const char *bytes, size_t len)
{
        if (len > LINE_BYTES - TAIL_BYTES - l->len) {
                l->cut = true;
                return;
        }
        memcpy(l->bytes + l->len, bytes, len);
        l->len += len;
}

static void put_c(struct line *l, const char *text)
{
        put_bytes(l, text, strlen(text));
}

static void put_i64(struct line *l, int64_t value)
{
        char digits[24];
        int n = snprintf(digits, sizeof(digits), "%" PRId64, value);
        put_bytes(l, digits, (size_t)n);
}

/* The length of the character at p; 0 if it is not well-formed UTF-8. */
static size_t character_len(const char *p, size_t left)
{
        for (size_t n = 1; n <= 4 && n <= left; n++) {
                if (utf8_valid(p, n)) {
                        return n;
                }
        }
        return 0;
}

static void put_character(struct line *l, const char *p, size_t n)
{
        uint32_t code = 0xfffd;
        if (n > 0) {
                utf8_decode(p, n, &code);
        }
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
        if (code == '"' || code == '\\') {
                put_bytes(l, (char[]){'\\', (char)code}, 2);
        } else if (code == '\n') {
                put_bytes(l, "\\n", 2);
        } else if (control || n == 0) {
                char escaped[8];
                snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)code);
                put_bytes(l, escaped, 6);
        } else {
                put_bytes(l, p, n);
        }
}

/* Text with JSON escapes, in both formats: terminals must not get control characters either. Long values are
 * truncated. */
static void put_escaped(struct line *l, const char *text)
{
        size_t len = strlen(text);
        size_t end = len < VALUE_BYTES ? len : VALUE_BYTES;
        for (size_t i = 0; i < end;) {
                size_t n = character_len(text + i, len - i);
                put_character(l, text + i, n);
                i += n > 0 ? n : 1;
        }
        if (end < len) {
                put_c(l, "…");
        }
}

static void put_quoted(struct line *l, const char *text)
{
        put_bytes(l, "\"", 1);
        put_escaped(l, text);
        put_bytes(l, "\"", 1);
}

static void put_field_json(struct line *l, const struct log_field *f)
{
        put_bytes(l, ",", 1);
        put_quoted(l, f->key);
        put_bytes(l, ":", 1);
        if (f->text != NULL) {
                put_quoted(l, f->text);
        } else {
                put_i64(l, f->number);
        }
}

static void put_field_text(struct line *l, const struct log_field *f)
{
        put_bytes(l, " ", 1);
        put_escaped(l, f->key);
        put_bytes(l, "=", 1);
        if (f->text == NULL) {
                put_i64(l, f->number);
        } else if (f->text[0] == '\0' || strpbrk(f->text, " =\"") != NULL) {
                put_quoted(l, f->text);
        } else {
                put_escaped(l, f->text);
        }
}

static void put_head(struct line *l, enum log_level level, const char *message)
{
        char time[CLOCK_RFC3339_SIZE];
        clock_format_ms(clock_wall_ms(), time);
        if (setup.json) {
                put_c(l, "{\"@timestamp\":\"");
                put_c(l, time);
                put_c(l, "\",\"log.level\":\"");
                put_c(l, levels[level].json);
                put_c(l, "\",\"message\":");
                put_quoted(l, message);
                put_c(l, ",\"service.name\":");
                put_quoted(l, setup.service);
                put_c(l, ",\"ecs.version\":\"8.11.0\"");
                return;
        }
        put_c(l, time);
        put_bytes(l, " ", 1);
        put_c(l, setup.colour ? levels[level].colour : "");
        put_c(l, levels[level].text);
        put_c(l, setup.colour ? "\033[0m" : "");
        put_bytes(l, " ", 1);
        put_escaped(l, message);
}

static __thread bool must_not_wait;

void log_from_event_loop(void)
{
        log_queue_prepare();
        must_not_wait = true;
}

void log_write(const char *bytes, size_t len)
{
        int saved = errno; /* logging must preserve errno */
        size_t done = 0;
        while (done < len) {
                ssize_t n = write(STDERR_FILENO, bytes + done, len - done);
                if (n < 0 && errno != EINTR) {
                        break; /* the log has no reader, and nothing can be done about it */
                }
                done += n > 0 ? (size_t)n : 0;
        }
        errno = saved;
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields, int n)
{
        if (!log_enabled(level)) {
                return;
        }
        struct line l;
        l.len = 0;
        l.cut = false;
        put_head(&l, level, message);
        for (int i = 0; i < n; i++) {
                if (fields[i].key == NULL) {
                        continue;
                }
                size_t before = l.len;
                l.cut = false;
                if (setup.json) {
                        put_field_json(&l, &fields[i]);
                } else {
                        put_field_text(&l, &fields[i]);
                }
                if (l.cut) {
                        l.len = before;
                }
        }
        /* Space for the end of the line was reserved. */
        if (setup.json) {
                l.bytes[l.len++] = '}';
        }
        l.bytes[l.len++] = '\n';
        (must_not_wait ? log_queue_put : log_write)(l.bytes, l.len);
}
