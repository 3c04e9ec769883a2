/* Columns: which column of a result is stored in which field of its statement's message, and how. Private to db/. */
#ifndef DB_COLUMNS_H
#define DB_COLUMNS_H

#include "base/buf.h"
#include "db/field.h"
#include "db/statement.h"

enum { DB_MAX_COLUMNS = 64, DB_COLUMN_DEPTH = 4 };

struct db_columns {
        const struct db_statement *statement;
        int n;
        struct db_column {
                const struct rpc_field *field;
                db_field_store *store;
                int depth; /* of nested messages: 1 for "counts.likes" */
                const struct rpc_field *path[DB_COLUMN_DEPTH];
        } columns[DB_MAX_COLUMNS];
};

/* Finds the fields of a result (rows, or a description). Done for each result, since it costs only a search by name per
 * column, and types may change while the program runs (a migration, another database for the same "*" statement). False
 * if a column has no field or one of another type, with a sentence in error; if that is NULL it is logged. */
bool db_columns_find(struct db_columns *columns, const struct db_statement *s, const PGresult *result,
                     struct buf *error);
/* Copies a row into message, in the arena. False if a value does not fit its field. */
bool db_columns_fill(const struct db_columns *columns, const PGresult *result, int row, ProtobufCMessage *message,
                     struct arena *arena);

#endif
