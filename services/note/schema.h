/* The migrations of note_service, compiled in from schema/. */
#ifndef SERVICES_NOTE_SCHEMA_H
#define SERVICES_NOTE_SCHEMA_H

#include "db/migrate.h"

extern const struct db_schema note_schema;

#endif
