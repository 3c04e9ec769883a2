/* The statement check: a cheap test of all SQL of a service. */
#ifndef DB_CHECK_H
#define DB_CHECK_H

#include "base/buf.h"
#include "base/status.h"

/* Prepares every registered statement of the database (and of "*") on the migrated schema at url, and checks that each
 * result column has a field in its message, and that names are unique. Here the server infers the parameters' types, at
 * run time the binds determine them: where that differs the statement needs a cast. error gets a line for each
 * statement that failed. */
SN_CHECKED sn_status db_check_statements(const char *url, const char *database, struct buf *error);

#endif
