/* Owns storing one value of a result in a field of a message, for each pair of matching types. */
#include "db/field.h"

#include <string.h>
#include "google/protobuf/timestamp.pb-c.h"

static void *member_of(const struct rpc_field *f, void *message)
{
        return (char *)message + f->offset;
}

/* ---- Single values ---- */

static bool store_uuid(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        *(char **)member_of(f, message) = db_value_uuid(v, arena);
        return v.len == 16;
}

static bool store_text(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        *(char **)member_of(f, message) = arena_strndup(arena, (const char *)v.bytes, (size_t)v.len);
        return true;
}

/* jsonb has a version before its text */
static bool store_jsonb(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        return v.len >= 1 && store_text(f, (struct db_value){v.bytes + 1, v.len - 1}, message, arena);
}

static bool store_bytes(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        ProtobufCBinaryData *data = member_of(f, message);

        data->len = (size_t)v.len;
        data->data = NULL;
        if (v.len > 0) {
                data->data = arena_alloc(arena, data->len);
                memcpy(data->data, v.bytes, data->len);
        }
        return true;
}

static bool store_bool(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        (void)arena;
        *(protobuf_c_boolean *)member_of(f, message) = db_value_int(v) != 0;
        return true;
}

static bool put_number(const struct rpc_field *f, int64_t value, void *member)
{
        switch (f->kind) {
        case KIND_I32:
        case KIND_ENUM:
                *(int32_t *)member = (int32_t)value;
                return value >= INT32_MIN && value <= INT32_MAX;
        case KIND_U32:
                *(uint32_t *)member = (uint32_t)value;
                return value >= 0 && value <= UINT32_MAX;
        case KIND_U64:
                *(uint64_t *)member = (uint64_t)value;
                return value >= 0;
        default:
                *(int64_t *)member = value;
                return true;
        }
}

static bool store_number(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        (void)arena;
        return put_number(f, db_value_int(v), member_of(f, message));
}

static int64_t floor_div(int64_t value, int64_t by)
{
        return value / by - (value % by < 0);
}

static bool store_time_ms(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        (void)arena;
        *(int64_t *)member_of(f, message) = floor_div(db_value_time_us(v), 1000);
        return true;
}

static bool store_timestamp(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        int64_t us = db_value_time_us(v);
        Google__Protobuf__Timestamp *t = contract_new_message(f->message, arena);

        t->seconds = floor_div(us, 1000000);
        t->nanos = (int32_t)((us - t->seconds * 1000000) * 1000);
        *(Google__Protobuf__Timestamp **)member_of(f, message) = t;
        return true;
}

static double read_real(struct db_value v)
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

static bool store_real(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        (void)arena;
        if (f->kind == KIND_FLOAT) {
                *(float *)member_of(f, message) = (float)read_real(v);
        } else {
                *(double *)member_of(f, message) = read_real(v);
        }
        return true;
}

/* ---- Lists ---- */

static void put_list(const struct rpc_field *f, void *message, void *items, size_t n)
{
        *(void **)member_of(f, message) = items;
        *(size_t *)((char *)message + f->quantifier) = n;
}

static char *read_uuid(struct db_value v, struct arena *arena)
{
        return db_value_uuid(v, arena);
}

static char *read_text(struct db_value v, struct arena *arena)
{
        return arena_strndup(arena, (const char *)v.bytes, v.len > 0 ? (size_t)v.len : 0);
}

static bool store_strings(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena,
                          char *(*read)(struct db_value v, struct arena *arena))
{
        struct db_array array;
        struct db_value element;

        if (!db_array_open(v, &array)) {
                return false;
        }
        char **texts = ARENA_ARRAY(arena, char *, array.n);

        for (uint32_t i = 0; i < array.n; i++) {
                if (!db_array_next(&array, &element)) {
                        return false;
                }
                texts[i] = read(element, arena);
        }
        put_list(f, message, texts, array.n);
        return true;
}

static bool store_uuids(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        return store_strings(f, v, message, arena, read_uuid);
}

static bool store_texts(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        return store_strings(f, v, message, arena, read_text);
}

static bool store_numbers(const struct rpc_field *f, struct db_value v, void *message, struct arena *arena)
{
        struct db_array array;
        struct db_value element;

        if (!db_array_open(v, &array)) {
                return false;
        }
        char *numbers = arena_alloc_array(arena, array.n, f->value_bytes);

        for (uint32_t i = 0; i < array.n; i++) {
                if (!db_array_next(&array, &element) ||
                    !put_number(f, db_value_int(element), numbers + i * f->value_bytes)) {
                        return false;
                }
        }
        put_list(f, message, numbers, array.n);
        return true;
}

/* ---- Choosing the function ---- */

static db_field_store *const values[KIND_COUNT][DB_KIND_COUNT] = {
    [KIND_STRING] = {[DB_KIND_UUID] = store_uuid, [DB_KIND_TEXT] = store_text, [DB_KIND_JSONB] = store_jsonb},
    [KIND_BYTES] = {[DB_KIND_BYTES] = store_bytes},
    [KIND_BOOL] = {[DB_KIND_BOOL] = store_bool},
    [KIND_I32] = {[DB_KIND_INT] = store_number},
    [KIND_U32] = {[DB_KIND_INT] = store_number},
    [KIND_ENUM] = {[DB_KIND_INT] = store_number},
    [KIND_I64] = {[DB_KIND_INT] = store_number, [DB_KIND_TIME] = store_time_ms},
    [KIND_U64] = {[DB_KIND_INT] = store_number},
    [KIND_FLOAT] = {[DB_KIND_FLOAT] = store_real},
    [KIND_DOUBLE] = {[DB_KIND_FLOAT] = store_real},
    [KIND_TIME] = {[DB_KIND_TIME] = store_timestamp},
};

static db_field_store *const lists[KIND_COUNT][DB_KIND_COUNT] = {
    [KIND_STRING] = {[DB_KIND_UUIDS] = store_uuids, [DB_KIND_TEXTS] = store_texts},
    [KIND_I32] = {[DB_KIND_INTS] = store_numbers},
    [KIND_U32] = {[DB_KIND_INTS] = store_numbers},
    [KIND_ENUM] = {[DB_KIND_INTS] = store_numbers},
    [KIND_I64] = {[DB_KIND_INTS] = store_numbers},
    [KIND_U64] = {[DB_KIND_INTS] = store_numbers},
};

static bool ends_with(const char *text, const char *end)
{
        size_t n = strlen(text), k = strlen(end);

        return n >= k && strcmp(text + n - k, end) == 0;
}

db_field_store *db_field_store_of(const struct rpc_field *f, enum db_kind kind)
{
        db_field_store *store = f->shape == SHAPE_LIST ? lists[f->kind][kind] : values[f->kind][kind];

        return store == store_time_ms && !ends_with(f->name, "_ms") ? NULL : store; /* names must include units */
}
