/* Incremental JSON writer: the last character written tells whether a comma is needed. */
#include "gateway/openapi_write.h"

#include <string.h>
#include "json/json.h"

static void separate(struct buf *out)
{
        if (out->len > 0 && strchr("{[:,", out->data[out->len - 1]) == NULL) {
                buf_append_char(out, ',');
        }
}

void open_object(struct buf *out)
{
        separate(out);
        buf_append_char(out, '{');
}

void close_object(struct buf *out)
{
        buf_append_char(out, '}');
}

void open_array(struct buf *out)
{
        separate(out);
        buf_append_char(out, '[');
}

void close_array(struct buf *out)
{
        buf_append_char(out, ']');
}

void write_text(struct buf *out, const char *text)
{
        separate(out);
        json_write_string(out, text, strlen(text));
}

void write_key(struct buf *out, const char *key)
{
        write_text(out, key);
        buf_append_char(out, ':');
}

void write_number(struct buf *out, int64_t number)
{
        separate(out);
        buf_append_i64(out, number);
}

void write_bool(struct buf *out, bool value)
{
        separate(out);
        buf_append_c(out, value ? "true" : "false");
}

void write_json(struct buf *out, struct str json)
{
        separate(out);
        buf_append(out, json.ptr, json.len);
}

void member_text(struct buf *out, const char *key, const char *text)
{
        if (text != NULL) {
                write_key(out, key);
                write_text(out, text);
        }
}

void member_number(struct buf *out, const char *key, int64_t number)
{
        write_key(out, key);
        write_number(out, number);
}

void member_object(struct buf *out, const char *key)
{
        write_key(out, key);
        open_object(out);
}

void member_array(struct buf *out, const char *key)
{
        write_key(out, key);
        open_array(out);
}
