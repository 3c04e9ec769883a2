/* The migrations of user_service, compiled in from schema/. */
#ifndef SERVICES_USER_SCHEMA_H
#define SERVICES_USER_SCHEMA_H

#include "db/migrate.h"

extern const struct db_schema user_schema;

#endif
