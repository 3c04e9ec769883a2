/* Owns the registry of statements, which the linker collects in a section. */
#include "db/statement.h"

/* Defined by the linker if there is at least one; weak, so that a program without any links, too. */
extern const struct db_statement *const __start_sn_statements[] __attribute__((weak));
extern const struct db_statement *const __stop_sn_statements[] __attribute__((weak));

const struct db_statement *const *db_statements(size_t *n)
{
        *n = (size_t)(__stop_sn_statements - __start_sn_statements);
        return __start_sn_statements;
}
