/* Messages to JSON, in the order of field numbers, directly into the buffer. This runs for every response: it
 * allocates nothing but the buffer's growth, and copies the parts whose JSON is kept (json/kept.h). */
#include "json/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "json/base64.h"
#include "json/kept.h"
#include "json/out.h"
#include "google/protobuf/timestamp.pb-c.h"

static void write_message(struct out *o, const struct rpc_message *type, const char *message);

static void write_u64(struct out *o, uint64_t value)
{
        char digits[20];
        struct str text = str_of_u64(value, digits);
        out_bytes(o, text.ptr, text.len);
}

static void write_i64(struct out *o, int64_t value)
{
        if (value < 0) {
                out_char(o, '-');
                write_u64(o, -(uint64_t)value);
        } else {
                write_u64(o, (uint64_t)value);
        }
}

/* The shortest text that reads back as the same number. JSON has no infinities: they become null. */
static void write_real(struct out *o, double value, bool single)
{
        char text[32];
        int len = 0;
        if (!isfinite(value)) {
                out_bytes(o, "null", 4);
                return;
        }
        for (int digits = single ? 6 : 15; digits <= 17; digits++) {
                len = snprintf(text, sizeof(text), "%.*g", digits, value);
                if (single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value) {
                        break;
                }
        }
        out_bytes(o, text, (size_t)len);
}

static void write_enum(struct out *o, const struct rpc_field *f, int number)
{
        const struct rpc_enum_value *value = contract_enum_value(f->names, number);
        if (value != NULL) {
                out_padded(o, value->quoted.ptr, value->quoted.len);
        } else {
                write_i64(o, number);
        }
}

static void write_time(struct out *o, const Google__Protobuf__Timestamp *timestamp)
{
        int64_t seconds = timestamp->seconds;
        int32_t nanos = timestamp->nanos;
        if (seconds < -62135596800 || seconds > 253402300799 || nanos < 0 || nanos > 999999999) {
                out_bytes(o, "null", 4); /* RFC 3339 cannot express times outside the years 1 to 9999 */
                return;
        }
        char text[CLOCK_RFC3339_SIZE + 2];
        clock_format_ms(seconds * 1000 + nanos / 1000000, text + 1);
        text[0] = '"';
        text[CLOCK_RFC3339_SIZE] = '"';
        out_bytes(o, text, CLOCK_RFC3339_SIZE + 1);
}

static void write_bytes(struct out *o, const ProtobufCBinaryData *bytes)
{
        size_t len = base64_length(bytes->len);
        out_char(o, '"');
        if (out_room(o, len)) {
                base64_encode(bytes->data, bytes->len, o->at);
                o->at += len;
        }
        out_char(o, '"');
}

static void write_value(struct out *o, const struct rpc_field *f, const char *member)
{
        switch (f->kind) {
        case KIND_I32:
                write_i64(o, *(const int32_t *)member);
                break;
        case KIND_U32:
                write_u64(o, *(const uint32_t *)member);
                break;
        case KIND_I64:
                write_i64(o, *(const int64_t *)member);
                break;
        case KIND_U64:
                write_u64(o, *(const uint64_t *)member);
                break;
        case KIND_FLOAT:
                write_real(o, (double)*(const float *)member, true);
                break;
        case KIND_DOUBLE:
                write_real(o, *(const double *)member, false);
                break;
        case KIND_BOOL:
                if (*(const protobuf_c_boolean *)member) {
                        out_bytes(o, "true", 4);
                } else {
                        out_bytes(o, "false", 5);
                }
                break;
        case KIND_ENUM:
                write_enum(o, f, *(const int *)member);
                break;
        case KIND_STRING: {
                const char *text = *(const char *const *)member;
                out_string(o, text == NULL ? "" : text, text == NULL ? 0 : strlen(text));
                break;
        }
        case KIND_BYTES:
                write_bytes(o, (const ProtobufCBinaryData *)member);
                break;
        case KIND_MESSAGE:
                write_message(o, f->message, *(const char *const *)member);
                break;
        case KIND_TIME:
                write_time(o, *(Google__Protobuf__Timestamp *const *)member);
                break;
        }
}

static bool is_zero(const struct rpc_field *f, const char *member)
{
        switch (f->kind) {
        case KIND_I32:
        case KIND_U32:
        case KIND_ENUM:
                return *(const int32_t *)member == 0;
        case KIND_I64:
        case KIND_U64:
                return *(const int64_t *)member == 0;
        case KIND_FLOAT:
                return *(const float *)member == 0;
        case KIND_DOUBLE:
                return *(const double *)member == 0;
        case KIND_BOOL:
                return !*(const protobuf_c_boolean *)member;
        case KIND_STRING: {
                const char *text = *(const char *const *)member;
                return text == NULL || text[0] == '\0';
        }
        case KIND_BYTES:
                return ((const ProtobufCBinaryData *)member)->len == 0;
        case KIND_MESSAGE:
        case KIND_TIME:
                break;
        }
        return *(const void *const *)member == NULL;
}

/* Its member is a pointer, and NULL means absent: there is no value to show. */
static bool is_pointer(const struct rpc_field *f)
{
        return f->kind == KIND_MESSAGE || f->kind == KIND_TIME;
}

static bool is_empty(const struct rpc_field *f, const char *message)
{
        switch (f->shape) {
        case SHAPE_PLAIN:
                return (f->rule.empty != FIELD_EMPTY_SHOW || is_pointer(f)) && is_zero(f, message + f->offset);
        case SHAPE_ONEOF:
                return *(const uint32_t *)(message + f->quantifier) != f->number ||
                       (is_pointer(f) && is_zero(f, message + f->offset));
        case SHAPE_LIST:
                break;
        }
        return *(const size_t *)(message + f->quantifier) == 0;
}

static void write_list(struct out *o, const struct rpc_field *f, const char *message)
{
        size_t n = *(const size_t *)(message + f->quantifier);
        const char *element = *(const char *const *)(message + f->offset);
        out_char(o, '[');
        for (size_t i = 0; i < n; i++, element += f->value_bytes) {
                if (i > 0) {
                        out_char(o, ',');
                }
                if (is_pointer(f) && is_zero(f, element)) {
                        out_bytes(o, "null", 4);
                } else {
                        write_value(o, f, element);
                }
        }
        out_char(o, ']');
}

static bool is_left_out(const struct rpc_field *f, const char *message)
{
        return f->rule.empty == FIELD_EMPTY_OMIT && is_empty(f, message);
}

/* With a comma in front, which is skipped for the first one. */
static void write_field(struct out *o, const struct rpc_field *f, const char *message, size_t skip)
{
        bool empty = is_empty(f, message);
        out_padded(o, f->key.ptr + skip, f->key.len - skip);
        if (empty) {
                out_padded(o, f->empty.ptr, f->empty.len);
        } else if (f->shape == SHAPE_LIST) {
                write_list(o, f, message);
        } else {
                write_value(o, f, message + f->offset);
        }
}

/* Where the message is still as it was when its JSON was kept, that is copied. */
static void write_message(struct out *o, const struct rpc_message *type, const char *message)
{
        const ProtobufCMessage *base = (const ProtobufCMessage *)(const void *)message;
        const struct json_kept *kept = o->anew ? NULL : json_kept_of(type, base);
        bool first = true;
        out_char(o, '{');
        for (uint32_t i = 0, same = 0; i<type->n_fields; i += same> 0 ? same : 1) {
                struct str text = {0};
                same = kept != NULL ? json_kept_same(kept, base, i) : 0;
                if (same > 0) {
                        text = json_kept_text(kept, i, same);
                        out_bytes(o, text.ptr + (first && text.len > 0), text.len - (first && text.len > 0));
                        first = first && text.len == 0;
                } else if (!is_left_out(&type->fields[i], message)) {
                        write_field(o, &type->fields[i], message, first);
                        first = false;
                }
        }
        out_char(o, '}');
}

void json_write_fields(struct buf *out, const struct rpc_message *type, const ProtobufCMessage *message, uint32_t *ends)
{
        struct out o = out_begin(out);
        for (uint32_t i = 0; i < type->n_fields; i++) {
                if (!is_left_out(&type->fields[i], (const char *)message)) {
                        write_field(&o, &type->fields[i], (const char *)message, 0);
                }
                out_end(&o);
                ends[i] = (uint32_t)out->len;
        }
}

/* What is kept is what would be written. */
static void assert_kept_is_true(const struct buf *out, size_t from, const struct rpc_message *type,
                                const ProtobufCMessage *message)
{
#ifndef NDEBUG
        struct buf again;
        buf_init(&again, out->max_bytes);
        struct out o = out_begin(&again);
        o.anew = true;
        write_message(&o, type, (const char *)message);
        out_end(&o);
        assert(out->overflow || again.overflow ||
               (again.len == out->len - from && memcmp(again.data, out->data + from, again.len) == 0));
        buf_free(&again);
#else
        (void)out;
        (void)from;
        (void)type;
        (void)message;
#endif
}

enum { FIRST_BYTES = 4096 }; /* an empty buffer starts with this capacity */

void json_write_message(struct buf *out, const struct rpc_message *type, const ProtobufCMessage *message)
{
        size_t from = out->len;
        if (out->data == NULL && out->max_bytes > FIRST_BYTES) {
                (void)buf_reserve(out, FIRST_BYTES);
        }
        struct out o = out_begin(out);
        write_message(&o, type, (const char *)message);
        out_end(&o);
        assert_kept_is_true(out, from, type, message);
}
