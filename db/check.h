/* The statement check: the cheapest valuable test of a service. */
#ifndef DB_CHECK_H
#define DB_CHECK_H

#include "base/buf.h"
#include "base/status.h"

/* Prepares every registered statement of the database (and of "*") on the migrated schema that url reaches, and checks
 * that each result column lands in a field of its message, and that names are not used twice. Parameters are typed by
 * the server here and by their binds at run time: a statement that needs them to say more has a cast. error gets a line
 * for each that failed. */
SN_CHECKED sn_status db_check_statements(const char *url, const char *database, struct buf *error);

#endif
