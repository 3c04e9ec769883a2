/* Owns parsing multipart/form-data: a state machine, one byte at a time except for content. */
#include "http/multipart.h"

#include <string.h>

enum { LINES_MAX = 8, AFTER_MAX = 2 };

enum {
        IN_FIRST_DELIMITER, /* which has no line end before it */
        IN_CONTENT,
        BEHIND_DELIMITER, /* either "\r\n" and a part, or "--" and the end */
        BEHIND_DELIMITER_CR,
        BEHIND_DELIMITER_DASH,
        IN_HEADS,
        BEHIND_END,
};

/* --- the boundary --- */

static bool is_boundary(struct str text)
{
        static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";
        for (size_t i = 0; i < text.len; i++) {
                if (text.ptr[i] == '\0' || strchr(allowed, text.ptr[i]) == NULL) {
                        return false;
                }
        }
        return text.len > 0 && text.len <= MULTIPART_BOUNDARY_MAX && text.ptr[text.len - 1] != ' ';
}

static struct str without_quotes(struct str text)
{
        bool quoted = text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
        return quoted ? (struct str){text.ptr + 1, text.len - 2} : text;
}

bool multipart_boundary(struct str content_type, struct str *boundary)
{
        struct str rest = content_type, type, parameter, name;
        if (!str_next(&rest, ';', &type) || !str_equal_nocase(str_trim(type), STR("multipart/form-data"))) {
                return false;
        }
        while (str_next(&rest, ';', &parameter)) {
                parameter = str_trim(parameter);
                if (str_next(&parameter, '=', &name) && str_equal_nocase(name, STR("boundary"))) {
                        *boundary = without_quotes(parameter);
                        return is_boundary(*boundary);
                }
        }
        return false;
}

void multipart_init(struct multipart *m, struct str boundary, const struct multipart_handlers *handlers)
{
        *m = (struct multipart){.handlers = *handlers, .delimiter = "\r\n--", .delimiter_len = 4 + boundary.len};
        memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
        m->matched = 2; /* as if a line had just ended */
        m->state = IN_FIRST_DELIMITER;
}

/* --- a part's headers --- */

/* Parses one parameter, name="value", off the front; \" and \\ are escapes. False at the end or if there is none. */
static bool next_parameter(struct str *rest, struct str *name, char *value, size_t size, size_t *len)
{
        *rest = str_trim(*rest);
        if (rest->len == 0 || rest->ptr[0] != ';') {
                return false;
        }
        *rest = str_trim((struct str){rest->ptr + 1, rest->len - 1});
        const char *equals = memchr(rest->ptr, '=', rest->len);
        if (equals == NULL || equals + 1 >= rest->ptr + rest->len || equals[1] != '"') {
                return false;
        }
        *name = (struct str){rest->ptr, (size_t)(equals - rest->ptr)};
        const char *p = equals + 2, *end = rest->ptr + rest->len;
        for (*len = 0; p < end && *p != '"'; p++) {
                p += *p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\\');
                if (*len == size) { /* keep its end, which has the extension of a file */
                        memmove(value, value + 1, --*len);
                }
                value[(*len)++] = *p;
        }
        *rest = (struct str){p + 1, p < end ? (size_t)(end - p - 1) : 0};
        return p < end;
}

static bool take_disposition(struct multipart *m, struct str value)
{
        struct multipart_part *part = &m->part;
        struct str kind = value, name;
        const char *semicolon = memchr(value.ptr, ';', value.len);
        char text[MULTIPART_FILE_NAME_MAX];
        size_t len;
        if (semicolon == NULL || part->has_name) {
                return false;
        }
        kind.len = (size_t)(semicolon - value.ptr);
        struct str rest = {semicolon, value.len - kind.len};
        if (!str_equal_nocase(str_trim(kind), STR("form-data"))) {
                return false;
        }
        while (next_parameter(&rest, &name, text, sizeof(text), &len)) {
                if (str_equal_nocase(name, STR("name")) && !part->has_name && len <= MULTIPART_NAME_MAX &&
                    memchr(text, '\0', len) == NULL) {
                        part->has_name = true;
                        memcpy(part->name, text, len);
                        part->name[len] = '\0';
                } else if (str_equal_nocase(name, STR("filename")) && !part->has_file_name &&
                           memchr(text, '\0', len) == NULL) {
                        part->has_file_name = true;
                        memcpy(part->file_name, text, len);
                        part->file_name[len] = '\0';
                } else {
                        return false; /* repeated, too long, or not allowed in form-data, like filename* (RFC 7578, 4.2)
                                       */
                }
        }
        return part->has_name && str_trim(rest).len == 0;
}

static void take_type(struct multipart *m, struct str value)
{
        for (size_t i = 0; i < value.len; i++) {
                if (value.ptr[i] < 0x20 || value.ptr[i] > 0x7e) {
                        return;
                }
        }
        if (value.len <= MULTIPART_TYPE_MAX) {
                memcpy(m->part.type, value.ptr, value.len);
                m->part.type[value.len] = '\0';
        }
}

static bool is_plain(struct str encoding)
{
        return str_equal_nocase(encoding, STR("binary")) || str_equal_nocase(encoding, STR("8bit")) ||
               str_equal_nocase(encoding, STR("7bit"));
}

static bool take_line(struct multipart *m, struct str line)
{
        struct str value = line, name;
        if (++m->lines > LINES_MAX || memchr(line.ptr, ':', line.len) == NULL || !str_next(&value, ':', &name)) {
                return false;
        }
        value = str_trim(value);
        if (str_equal_nocase(name, STR("Content-Disposition"))) {
                return take_disposition(m, value);
        }
        if (str_equal_nocase(name, STR("Content-Type"))) {
                take_type(m, value);
        }
        return !str_equal_nocase(name, STR("Content-Transfer-Encoding")) || is_plain(value);
}

static enum multipart_result end_heads(struct multipart *m)
{
        if (!m->part.has_name) {
                return MULTIPART_MALFORMED;
        }
        m->state = IN_CONTENT;
        m->matched = 0;
        return m->handlers.begin(m->handlers.context, &m->part) ? MULTIPART_MORE : MULTIPART_STOPPED;
}

static enum multipart_result take_head_byte(struct multipart *m, char c)
{
        if (c == '\n') {
                if (m->line_len == 0 || m->line[m->line_len - 1] != '\r') {
                        return MULTIPART_MALFORMED;
                }
                struct str line = {m->line, m->line_len - 1};
                m->line_len = 0;
                if (line.len == 0) {
                        return end_heads(m);
                }
                return take_line(m, line) ? MULTIPART_MORE : MULTIPART_MALFORMED;
        }
        bool inside_cr = m->line_len > 0 && m->line[m->line_len - 1] == '\r';
        if (inside_cr || m->line_len == sizeof(m->line)) {
                return MULTIPART_MALFORMED;
        }
        m->line[m->line_len++] = c;
        return MULTIPART_MORE;
}

/* --- content --- */

static bool give_bytes(struct multipart *m, const char *bytes, size_t len)
{
        return len == 0 || m->handlers.bytes(m->handlers.context, (struct str){bytes, len});
}

/* The delimiter contains only one CR, at its start, so after a partial match only the current byte must be
 * reconsidered. */
static enum multipart_result take_content(struct multipart *m, struct str *in)
{
        const char *at = in->ptr, *end = in->ptr + in->len;
        while (at < end && m->matched < m->delimiter_len) {
                if (*at == m->delimiter[m->matched]) {
                        at++;
                        m->matched++;
                } else if (m->matched > 0) {
                        if (!give_bytes(m, m->delimiter, m->matched)) {
                                return MULTIPART_STOPPED;
                        }
                        m->matched = 0;
                } else {
                        const char *cr = memchr(at, '\r', (size_t)(end - at));
                        const char *until = cr != NULL ? cr : end;
                        if (!give_bytes(m, at, (size_t)(until - at))) {
                                return MULTIPART_STOPPED;
                        }
                        at = until;
                }
        }
        *in = (struct str){at, (size_t)(end - at)};
        if (m->matched < m->delimiter_len) {
                return MULTIPART_MORE;
        }
        m->state = BEHIND_DELIMITER;
        return m->handlers.end(m->handlers.context) ? MULTIPART_MORE : MULTIPART_STOPPED;
}

/* --- the whole body --- */

static enum multipart_result take_between(struct multipart *m, char c)
{
        switch (m->state) {
        case IN_FIRST_DELIMITER:
                if (c != m->delimiter[m->matched++]) {
                        return MULTIPART_MALFORMED;
                }
                m->state = m->matched == m->delimiter_len ? BEHIND_DELIMITER : IN_FIRST_DELIMITER;
                return MULTIPART_MORE;
        case BEHIND_DELIMITER:
                m->state = c == '\r' ? BEHIND_DELIMITER_CR : BEHIND_DELIMITER_DASH;
                return c == '\r' || c == '-' ? MULTIPART_MORE : MULTIPART_MALFORMED;
        case BEHIND_DELIMITER_CR:
                m->state = IN_HEADS;
                m->part = (struct multipart_part){.has_name = false};
                m->line_len = 0;
                m->lines = 0;
                return c == '\n' ? MULTIPART_MORE : MULTIPART_MALFORMED;
        case BEHIND_DELIMITER_DASH:
                m->state = BEHIND_END;
                return c == '-' ? MULTIPART_MORE : MULTIPART_MALFORMED;
        case IN_HEADS:
                return take_head_byte(m, c);
        default:
                return ++m->after <= AFTER_MAX && (c == '\r' || c == '\n') ? MULTIPART_MORE : MULTIPART_MALFORMED;
        }
}

enum multipart_result multipart_take(struct multipart *m, struct str bytes)
{
        enum multipart_result result = MULTIPART_MORE;
        while (bytes.len > 0 && result == MULTIPART_MORE) {
                if (m->state == IN_CONTENT) {
                        result = take_content(m, &bytes);
                } else {
                        result = take_between(m, bytes.ptr[0]);
                        bytes = (struct str){bytes.ptr + 1, bytes.len - 1};
                }
        }
        return result;
}

bool multipart_is_whole(const struct multipart *m)
{
        return m->state == BEHIND_END;
}
