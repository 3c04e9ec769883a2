/* Creates and migrates the services' databases over an administrator's connection. */
#ifndef CMD_MIGRATE_H
#define CMD_MIGRATE_H

#include "cmd/up/embedded.h"

/* Migrates every service's database in the private PostgreSQL to this binary's schema, and makes what is
 * missing. An up-to-date one costs one connection. */
SN_CHECKED sn_status migrate_embedded(const struct embedded *e, struct buf *error);

#endif
