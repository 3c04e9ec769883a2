/* Owns storing rows in message fields, matched by the names of their columns in the message's table. */
#include "db/columns.h"

#include <string.h>
#include "base/log.h"

/* ---- Finding fields ---- */

/* Follows "counts.likes" through the messages. */
static bool find_field(const struct rpc_message *type, const char *alias, struct db_column *c)
{
        struct str rest = str_of(alias), name;

        while (type != NULL && str_next(&rest, '.', &name)) {
                if (c->field != NULL) {
                        if (c->depth == DB_COLUMN_DEPTH) {
                                return false;
                        }
                        c->path[c->depth++] = c->field;
                }
                c->field = contract_field(type, name);
                type = c->field != NULL && c->field->shape != SHAPE_LIST ? c->field->message : NULL;
        }
        return c->field != NULL && rest.len == 0;
}

static bool explain_misfit(const struct db_statement *s, const char *column, Oid type, const char *why,
                           struct buf *error)
{
        const char *message = s->row->descriptor->name;

        if (error != NULL) {
                buf_printf(error, "statement %s: column \"%s\" (type %u) %s of %s", s->name, column, type, why,
                           message);
        } else {
                log_event(LOG_LEVEL_ERROR, "a column does not match its message", LOG_STR("sonet.statement", s->name),
                          LOG_STR("sonet.column", column), LOG_STR("sonet.message", message));
        }
        return false;
}

static bool find_column(const struct db_statement *s, const PGresult *result, int i, struct db_column *c,
                        struct buf *error)
{
        const char *name = PQfname(result, i);
        Oid type = PQftype(result, i);

        c->field = NULL;
        c->depth = 0;
        if (!find_field(s->row, name, c)) {
                return explain_misfit(s, name, type, "matches no field", error);
        }
        c->store = db_field_store_of(c->field, db_kind_of(type));
        return c->store != NULL || explain_misfit(s, name, type, "does not match the field", error);
}

bool db_columns_find(struct db_columns *columns, const struct db_statement *s, const PGresult *result,
                     struct buf *error)
{
        columns->statement = s;
        columns->n = PQnfields(result);
        if (columns->n > DB_MAX_COLUMNS) {
                return explain_misfit(s, PQfname(result, DB_MAX_COLUMNS), PQftype(result, DB_MAX_COLUMNS),
                                      "is an extra column", error);
        }
        for (int i = 0; i < columns->n; i++) {
                if (!find_column(s, result, i, &columns->columns[i], error)) {
                        return false;
                }
        }
        return true;
}

/* ---- Filling them ---- */

static void choose_oneof(const struct rpc_field *f, void *message)
{
        if (f->shape == SHAPE_ONEOF) {
                *(uint32_t *)((char *)message + f->quantifier) = f->number;
        }
}

/* The sub-message, created if there is none, or another member of its oneof is set. */
static void *sub_message(const struct rpc_field *f, void *message, struct arena *arena)
{
        void **member = (void **)((char *)message + f->offset);
        bool chosen = f->shape != SHAPE_ONEOF || *(uint32_t *)((char *)message + f->quantifier) == f->number;

        if (*member == NULL || !chosen) {
                *member = contract_new_message(f->message, arena);
                choose_oneof(f, message);
        }
        return *member;
}

static bool fill_column(const struct db_column *c, struct db_value v, void *message, struct arena *arena)
{
        for (int i = 0; i < c->depth; i++) {
                message = sub_message(c->path[i], message, arena);
        }
        choose_oneof(c->field, message);
        return c->store(c->field, v, message, arena);
}

bool db_columns_fill(const struct db_columns *columns, const PGresult *result, int row, ProtobufCMessage *message,
                     struct arena *arena)
{
        for (int i = 0; i < columns->n; i++) {
                struct db_value v = {(const uint8_t *)PQgetvalue(result, row, i), PQgetlength(result, row, i)};

                if (PQgetisnull(result, row, i) || fill_column(&columns->columns[i], v, message, arena)) {
                        continue;
                }
                log_event(LOG_LEVEL_ERROR, "a value does not match its field",
                          LOG_STR("sonet.statement", columns->statement->name),
                          LOG_STR("sonet.column", columns->columns[i].field->name));
                return false;
        }
        return true;
}
