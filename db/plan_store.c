/* Owns how one value of a result is stored in a field of a message, for each pair of their types that fits. */
#include "db/plan_store.h"

#include <string.h>
#include "google/protobuf/timestamp.pb-c.h"

/* ---- Storing one value ---- */

static bool store_uuid(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        (void)field;
        *(char **)member = db_value_uuid(v, arena);
        return v.len == 16;
}

static bool store_text(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        (void)field;
        *(char **)member = arena_strndup(arena, (const char *)v.bytes, (size_t)v.len);
        return true;
}

/* jsonb has a version before its text */
static bool store_jsonb(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        return v.len >= 1 && store_text(field, (struct db_value){v.bytes + 1, v.len - 1}, member, arena);
}

static bool store_bytes(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        ProtobufCBinaryData *data = member;

        (void)field;
        data->len = (size_t)v.len;
        data->data = NULL;
        if (v.len > 0) {
                data->data = arena_alloc(arena, data->len);
                memcpy(data->data, v.bytes, data->len);
        }
        return true;
}

static bool store_bool(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        (void)field;
        (void)arena;
        *(protobuf_c_boolean *)member = db_value_int(v) != 0;
        return true;
}

static bool store_number(const ProtobufCFieldDescriptor *field, int64_t value, void *member)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_ENUM:
                *(int32_t *)member = (int32_t)value;
                return value >= INT32_MIN && value <= INT32_MAX;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                *(uint32_t *)member = (uint32_t)value;
                return value >= 0 && value <= UINT32_MAX;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                *(uint64_t *)member = (uint64_t)value;
                return value >= 0;
        default:
                *(int64_t *)member = value;
                return true;
        }
}

static bool store_int(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        (void)arena;
        return store_number(field, db_value_int(v), member);
}

static int64_t floor_div(int64_t value, int64_t by)
{
        return value / by - (value % by < 0);
}

static bool store_time_ms(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        (void)arena;
        return store_number(field, floor_div(db_value_time_us(v), 1000), member);
}

static bool store_timestamp(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        int64_t us = db_value_time_us(v);
        Google__Protobuf__Timestamp *t = ARENA_NEW(arena, Google__Protobuf__Timestamp);

        (void)field;
        google__protobuf__timestamp__init(t);
        t->seconds = floor_div(us, 1000000);
        t->nanos = (int32_t)((us - t->seconds * 1000000) * 1000);
        *(Google__Protobuf__Timestamp **)member = t;
        return true;
}

static double read_float(struct db_value v)
{
        int64_t bits = db_value_int(v);
        double number = 0;

        if (v.len == 4) {
                uint32_t bits32 = (uint32_t)bits;
                float narrow;

                memcpy(&narrow, &bits32, sizeof(narrow));
                number = (double)narrow;
        } else if (v.len == 8) {
                memcpy(&number, &bits, sizeof(number));
        }
        return number;
}

static bool store_float(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena)
{
        (void)arena;
        if (field->type == PROTOBUF_C_TYPE_FLOAT) {
                *(float *)member = (float)read_float(v);
        } else {
                *(double *)member = read_float(v);
        }
        return true;
}

/* ---- Storing a list ---- */

static bool store_strings(const ProtobufCFieldDescriptor *field, struct db_value v, void **items, size_t *n,
                          struct arena *arena, bool uuids)
{
        struct db_array array;
        struct db_value element;

        (void)field;
        if (!db_array_open(v, &array)) {
                return false;
        }
        char **texts = ARENA_ARRAY(arena, char *, array.n);

        for (uint32_t i = 0; i < array.n; i++) {
                if (!db_array_next(&array, &element)) {
                        return false;
                }
                if (uuids) {
                        texts[i] = db_value_uuid(element, arena);
                } else {
                        texts[i] = arena_strndup(arena, (const char *)element.bytes,
                                                 element.len > 0 ? (size_t)element.len : 0);
                }
        }
        *items = texts;
        *n = array.n;
        return true;
}

static bool store_uuids(const ProtobufCFieldDescriptor *field, struct db_value v, void **items, size_t *n,
                        struct arena *arena)
{
        return store_strings(field, v, items, n, arena, true);
}

static bool store_texts(const ProtobufCFieldDescriptor *field, struct db_value v, void **items, size_t *n,
                        struct arena *arena)
{
        return store_strings(field, v, items, n, arena, false);
}

static size_t number_size(const ProtobufCFieldDescriptor *field)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                return 8;
        default:
                return 4;
        }
}

static bool store_ints(const ProtobufCFieldDescriptor *field, struct db_value v, void **items, size_t *n,
                       struct arena *arena)
{
        struct db_array array;
        struct db_value element;
        size_t size = number_size(field);

        if (!db_array_open(v, &array)) {
                return false;
        }
        uint8_t *numbers = arena_alloc_array(arena, array.n, size);

        for (uint32_t i = 0; i < array.n; i++) {
                if (!db_array_next(&array, &element) ||
                    !store_number(field, db_value_int(element), numbers + i * size)) {
                        return false;
                }
        }
        *items = numbers;
        *n = array.n;
        return true;
}

/* --- which one
 */

static bool is_integer(const ProtobufCFieldDescriptor *field)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_BYTES:
        case PROTOBUF_C_TYPE_MESSAGE:
        case PROTOBUF_C_TYPE_BOOL:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
                return false;
        default:
                return true;
        }
}

static bool ends_with(const char *text, const char *end)
{
        size_t n = strlen(text), k = strlen(end);

        return n >= k && strcmp(text + n - k, end) == 0;
}

static bool is_timestamp(const ProtobufCFieldDescriptor *field)
{
        return field->type == PROTOBUF_C_TYPE_MESSAGE && field->descriptor == &google__protobuf__timestamp__descriptor;
}

static void choose_list(struct db_column *c)
{
        bool string = c->field->type == PROTOBUF_C_TYPE_STRING;

        if (c->kind == DB_KIND_UUIDS && string) {
                c->store_list = store_uuids;
        } else if (c->kind == DB_KIND_TEXTS && string) {
                c->store_list = store_texts;
        } else if (c->kind == DB_KIND_INTS && is_integer(c->field)) {
                c->store_list = store_ints;
        }
}

static void choose_number(struct db_column *c)
{
        const ProtobufCFieldDescriptor *f = c->field;

        if (c->kind == DB_KIND_INT && is_integer(f)) {
                c->store = store_int;
        } else if (c->kind == DB_KIND_BOOL && f->type == PROTOBUF_C_TYPE_BOOL) {
                c->store = store_bool;
        } else if (c->kind == DB_KIND_TIME && is_timestamp(f)) {
                c->store = store_timestamp;
        } else if (c->kind == DB_KIND_TIME && number_size(f) == 8 && ends_with(f->name, "_ms")) {
                c->store = store_time_ms;
        } else if (c->kind == DB_KIND_FLOAT &&
                   (f->type == PROTOBUF_C_TYPE_FLOAT || f->type == PROTOBUF_C_TYPE_DOUBLE)) {
                c->store = store_float;
        }
}

bool db_column_choose_store(struct db_column *c)
{
        const ProtobufCFieldDescriptor *f = c->field;

        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
                choose_list(c);
        } else if (f->type == PROTOBUF_C_TYPE_STRING) {
                c->store = c->kind == DB_KIND_UUID    ? store_uuid
                           : c->kind == DB_KIND_TEXT  ? store_text
                           : c->kind == DB_KIND_JSONB ? store_jsonb
                                                      : NULL;
        } else if (f->type == PROTOBUF_C_TYPE_BYTES) {
                c->store = c->kind == DB_KIND_BYTES ? store_bytes : NULL;
        } else {
                choose_number(c);
        }
        return c->store || c->store_list;
}
