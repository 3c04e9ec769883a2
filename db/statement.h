/* Statements: static constants, usually right above the function that uses them. Each is registered, so that one test
 * can prepare all of them on the migrated schema and check that every column has a field in the row's message. */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/contract.h"

struct db_statement {
        const char *database; /* "note_service"; "*": every service's (db/platform.sql) */
        const char *name;     /* unique in its database: the prepared statement's name */
        const char *sql;
        const struct rpc_message *row; /* of the rows; NULL: no rows, or raw ones */
};

/* DB_STATEMENT(SELECT_NOTE, "note_service", &note__note__message, "select …"); */
#define DB_STATEMENT(id, database_name, row_message, text)                                                             \
        static const struct db_statement id = {(database_name), #id, (text), (row_message)};                           \
        static const struct db_statement *const id##_registered __attribute__((used, section("sn_statements"))) = &id

/* All statements of the program, in no particular order. */
const struct db_statement *const *db_statements(size_t *n);

/* Typed parameters. Pointers must stay valid until the statement has run. */
enum db_bind_type { DB_NULL, DB_UUID, DB_TEXT, DB_I64, DB_BOOL, DB_TIME_MS, DB_BYTES, DB_UUIDS, DB_TEXTS, DB_I64S };
struct db_bind {
        enum db_bind_type type;
        const void *ptr;
        int64_t number;
        size_t len; /* bytes of DB_BYTES, elements of a list */
};
struct db_bind bind_null(void);
struct db_bind bind_uuid(const char *uuid); /* "" or NULL binds NULL */
struct db_bind bind_text(const char *text); /* NULL binds NULL */
struct db_bind bind_i64(int64_t value);
struct db_bind bind_bool(bool value);
struct db_bind bind_time_ms(int64_t wall_ms); /* timestamptz */
struct db_bind bind_bytes(const void *ptr, size_t len);
struct db_bind bind_uuids(char *const *uuids, size_t n);   /* uuid[] */
struct db_bind bind_texts(char *const *texts, size_t n);   /* text[] */
struct db_bind bind_i64s(const int64_t *values, size_t n); /* bigint[] */

#endif
