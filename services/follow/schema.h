/* The migrations of follow_service, compiled in from schema/. */
#ifndef SERVICES_FOLLOW_SCHEMA_H
#define SERVICES_FOLLOW_SCHEMA_H

#include "db/migrate.h"

extern const struct db_schema follow_schema;

#endif
