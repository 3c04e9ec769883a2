/* Owns building requests: templates with values inserted. */
#include "json/json.h"
#include "push/adapter_parts.h"

#include <string.h>

enum { VALUE_MAX_BYTES = 16384 };

static bool is_name_char(char c)
{
        return (c >= 'a' && c <= 'z') || c == '_';
}

/* Parses "{name}" at the start of text. */
static bool read_variable(const char *text, struct str *name)
{
        size_t len = 1;

        while (is_name_char(text[len])) {
                len++;
        }
        *name = (struct str){text + 1, len - 1};
        return text[0] == '{' && len > 1 && text[len] == '}';
}

static void append_percent(struct buf *out, const char *value)
{
        static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        for (; *value != '\0'; value++) {
                if (strchr(unreserved, *value) != NULL) {
                        buf_append_char(out, *value);
                } else {
                        buf_printf(out, "%%%02X", (unsigned)(uint8_t)*value);
                }
        }
}

/* Without the quotes, which are part of the template. */
static void append_json(struct buf *out, const char *value)
{
        CLEANUP(buf_free) struct buf quoted;

        buf_init(&quoted, 6 * VALUE_MAX_BYTES);
        json_write_string(&quoted, value, strlen(value));
        buf_append(out, quoted.data + 1, quoted.len - 2);
}

/* False for anything that would end a header line. */
static bool is_line(const char *value)
{
        for (; *value != '\0'; value++) {
                if ((uint8_t)*value < ' ' || *value == 0x7f) {
                        return false;
                }
        }
        return true;
}

static bool append_value(struct buf *out, const char *value, enum adapter_place place)
{
        if (value == NULL || strlen(value) > VALUE_MAX_BYTES || (place == PLACE_HEADER && !is_line(value))) {
                return false;
        }
        if (place == PLACE_URL || place == PLACE_FORM) {
                append_percent(out, value);
        } else if (place == PLACE_JSON) {
                append_json(out, value);
        } else {
                buf_append_c(out, value);
        }
        return true;
}

bool adapter_write(struct buf *out, const char *source, enum adapter_place place, adapter_lookup *lookup,
                   const void *context)
{
        struct str name;

        while (*source != '\0') {
                if (!read_variable(source, &name)) {
                        buf_append_char(out, *source++);
                        continue;
                }
                if (!append_value(out, lookup(context, name), place)) {
                        return false;
                }
                source += name.len + 2;
        }
        return true;
}
