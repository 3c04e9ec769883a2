/* Owns the plans by which rows land in message fields: made once per statement from the column names of its first
 * result and the message's descriptor, then read by all threads without a lock. */
#include "db/plan.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/str.h"
#include "db/plan_store.h"

struct db_plan {
        const struct db_statement *statement;
        int n;
        struct db_column columns[];
};

/* ---- Making a plan ---- */

/* Follows "counts.likes" through the descriptors. */
static bool find_field(const ProtobufCMessageDescriptor *d, const char *alias, struct db_column *c)
{
        struct str rest = str_of(alias), name;

        while (d && str_next(&rest, '.', &name)) {
                char buffer[64];

                if (name.len >= sizeof(buffer) || (c->field && c->depth == DB_COLUMN_DEPTH)) {
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

static bool plan_column(const struct db_statement *s, const PGresult *result, int i, struct db_column *c,
                        struct buf *error)
{
        const char *name = PQfname(result, i);
        Oid type = PQftype(result, i);

        *c = (struct db_column){.kind = db_kind_of(type)};
        if (!find_field(s->row, name, c)) {
                explain(error, s, name, type, "has no field");
                return false;
        }
        if (!db_column_choose_store(c)) {
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

/* ---- Keeping plans ---- */

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
        return sizeof(struct db_plan) + (size_t)columns * sizeof(struct db_column);
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

/* ---- Using a plan ---- */

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
                const struct db_column *c = &plan->columns[i];
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
