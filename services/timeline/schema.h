/* The migrations of timeline_service, compiled in from schema/. */
#ifndef SERVICES_TIMELINE_SCHEMA_H
#define SERVICES_TIMELINE_SCHEMA_H

#include "db/migrate.h"

extern const struct db_schema timeline_schema;

#endif
