/* Databases of the services: made and migrated with an administrator's connection. */
#ifndef CMD_MIGRATE_H
#define CMD_MIGRATE_H

#include "cmd/up/embedded.h"

/* Brings every service's database in the private PostgreSQL to this binary's schema. One that is there already costs
 * one connection. */
SN_CHECKED sn_status migrate_embedded(const struct embedded *e, struct buf *error);

#endif
