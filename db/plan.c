/* Owns the plans by which rows land in message fields: made once per statement from the column names of its first
 * result and the message's descriptor, then read by all threads without a lock. */
#include "db/plan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/str.h"
#include "db/bind.h"
#include "google/protobuf/timestamp.pb-c.h"

#define MAX_DEPTH   4
#define MAX_COLUMNS 128

struct column {
        enum db_kind kind;
        uint8_t depth; /* sub-messages on the way */
        const ProtobufCFieldDescriptor *path[MAX_DEPTH];
        const ProtobufCFieldDescriptor *field;
        bool (*store)(const ProtobufCFieldDescriptor *field, struct db_value v, void *member, struct arena *arena);
        bool (*store_list)(const ProtobufCFieldDescriptor *field, struct db_value v, void **items, size_t *n,
                           struct arena *arena);
};

struct db_plan {
        const struct db_statement *statement;
        int n;
        struct column columns[];
};

/* --- storing one value
 * ------------------------------------------------------------------------------------------------------- */

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

/* --- storing a list
 * ---------------------------------------------------------------------------------------------------------- */

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

/* --- making a plan
 * ----------------------------------------------------------------------------------------------------------- */

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

static void choose_list(struct column *c)
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

static void choose_number(struct column *c)
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

static bool choose_store(struct column *c)
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

/* Follows "counts.likes" through the descriptors. */
static bool find_field(const ProtobufCMessageDescriptor *d, const char *alias, struct column *c)
{
        struct str rest = str_of(alias), name;

        while (d && str_next(&rest, '.', &name)) {
                char buffer[64];

                if (name.len >= sizeof(buffer) || (c->field && c->depth == MAX_DEPTH)) {
                        return false;
                }
                memcpy(buffer, name.ptr, name.len);
                buffer[name.len] = '\0';
                if (c->field) {
                        c->path[c->depth++] = c->field;
                }
                c->field = protobuf_c_message_descriptor_get_field_by_name(d, buffer);
                d = c->field && c->field->type == PROTOBUF_C_TYPE_MESSAGE &&
                            c->field->label != PROTOBUF_C_LABEL_REPEATED
                        ? c->field->descriptor
                        : NULL;
        }
        return c->field && rest.len == 0;
}

static void explain(struct buf *error, const struct db_statement *s, const char *column, Oid type, const char *what)
{
        if (error) {
                buf_printf(error, "statement %s: column \"%s\" (type %u) %s of %s", s->name, column, type, what,
                           s->row->name);
        } else {
                log_event(LOG_LEVEL_ERROR, "a column does not fit its message", LOG_STR("sonet.statement", s->name),
                          LOG_STR("sonet.column", column), LOG_STR("sonet.message", s->row->name));
        }
}

static bool plan_column(const struct db_statement *s, const PGresult *result, int i, struct column *c,
                        struct buf *error)
{
        const char *name = PQfname(result, i);
        Oid type = PQftype(result, i);

        *c = (struct column){.kind = db_kind_of(type)};
        if (!find_field(s->row, name, c)) {
                explain(error, s, name, type, "has no field");
                return false;
        }
        if (!choose_store(c)) {
                explain(error, s, name, type, "does not fit the field");
                return false;
        }
        return true;
}

static struct db_plan *plan_make(const struct db_statement *s, const PGresult *result, struct db_plan *plan,
                                 struct buf *error)
{
        plan->statement = s;
        plan->n = PQnfields(result);
        for (int i = 0; i < plan->n; i++) {
                if (!plan_column(s, result, i, &plan->columns[i], error)) {
                        return NULL;
                }
        }
        return plan;
}

/* --- keeping plans
 * ----------------------------------------------------------------------------------------------------------- */

#define KEPT_SLOTS 2048 /* a power of two, far above the number of statements */
static _Atomic(struct db_plan *) kept[KEPT_SLOTS];

/* Types may change under a running program (a migration, another database of the same "*" statement). */
static bool still_fits(const struct db_plan *plan, const PGresult *result)
{
        if (plan->n != PQnfields(result)) {
                return false;
        }
        for (int i = 0; i < plan->n; i++) {
                if (plan->columns[i].kind != db_kind_of(PQftype(result, i))) {
                        return false;
                }
        }
        return true;
}

static size_t first_slot(const struct db_statement *s)
{
        return (((uintptr_t)s >> 4) * UINT64_C(0x9e3779b97f4a7c15)) >> 53 & (KEPT_SLOTS - 1);
}

static void keep(struct db_plan *plan)
{
        size_t slot = first_slot(plan->statement);

        for (int tries = 0; tries < 64; tries++, slot = (slot + 1) & (KEPT_SLOTS - 1)) {
                struct db_plan *empty = NULL;

                if (atomic_compare_exchange_strong(&kept[slot], &empty, plan)) {
                        return;
                }
                if (empty->statement == plan->statement) {
                        break; /* another thread was quicker */
                }
        }
        free(plan);
}

static const struct db_plan *find_kept(const struct db_statement *s)
{
        size_t slot = first_slot(s);

        for (int tries = 0; tries < 64; tries++, slot = (slot + 1) & (KEPT_SLOTS - 1)) {
                const struct db_plan *plan = atomic_load_explicit(&kept[slot], memory_order_acquire);

                if (!plan || plan->statement == s) {
                        return plan;
                }
        }
        return NULL;
}

static size_t plan_size(int columns)
{
        return sizeof(struct db_plan) + (size_t)columns * sizeof(struct column);
}

const struct db_plan *db_plan_of(const struct db_statement *s, const PGresult *result, struct arena *arena,
                                 struct buf *error)
{
        const struct db_plan *known = find_kept(s);

        if (known && still_fits(known, result)) {
                return known;
        }
        struct db_plan *plan = plan_make(s, result, arena_alloc(arena, plan_size(PQnfields(result))), error);

        if (plan && !known) {
                struct db_plan *copy = malloc(plan_size(plan->n));

                if (copy) {
                        memcpy(copy, plan, plan_size(plan->n));
                        keep(copy);
                }
        }
        return plan;
}

/* --- using a plan
 * ------------------------------------------------------------------------------------------------------------ */

static void mark_present(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
        void *quantifier = (uint8_t *)message + field->quantifier_offset;

        if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
                *(uint32_t *)quantifier = field->id;
        } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_STRING &&
                   field->type != PROTOBUF_C_TYPE_MESSAGE) {
                *(protobuf_c_boolean *)quantifier = 1;
        }
}

static ProtobufCMessage *descend(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, struct arena *arena)
{
        ProtobufCMessage **member = (ProtobufCMessage **)((uint8_t *)message + field->offset);
        bool chosen = !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
                      *(uint32_t *)((uint8_t *)message + field->quantifier_offset) == field->id;

        if (!*member || !chosen) {
                const ProtobufCMessageDescriptor *d = field->descriptor;

                *member = arena_alloc(arena, d->sizeof_message);
                protobuf_c_message_init(d, *member);
                mark_present(message, field);
        }
        return *member;
}

bool db_plan_fill(const struct db_plan *plan, const PGresult *result, int row, ProtobufCMessage *message,
                  struct arena *arena)
{
        for (int i = 0; i < plan->n; i++) {
                const struct column *c = &plan->columns[i];
                struct db_value v = {(const uint8_t *)PQgetvalue(result, row, i), PQgetlength(result, row, i)};
                ProtobufCMessage *target = message;
                bool ok;

                if (PQgetisnull(result, row, i)) {
                        continue;
                }
                for (int k = 0; k < c->depth; k++) {
                        target = descend(target, c->path[k], arena);
                }
                void *member = (uint8_t *)target + c->field->offset;

                if (c->store_list) {
                        size_t *n = (size_t *)((uint8_t *)target + c->field->quantifier_offset);

                        ok = c->store_list(c->field, v, member, n, arena);
                } else {
                        mark_present(target, c->field);
                        ok = c->store(c->field, v, member, arena);
                }
                if (!ok) {
                        log_event(LOG_LEVEL_ERROR, "a value does not fit its field",
                                  LOG_STR("sonet.statement", plan->statement->name),
                                  LOG_STR("sonet.column", c->field->name));
                        return false;
                }
        }
        return true;
}
