/* Shared by embedded*.c: embedded_paths.c determines paths, embedded.c opens the data folder, embedded_servers.c
 * runs the servers. */
#ifndef CMD_UP_EMBEDDED_PARTS_H
#define CMD_UP_EMBEDDED_PARTS_H

#include <sys/un.h>
#include "cmd/up/embedded.h"

#define POSTGRESQL_VERSION "15"
#define POSTGRESQL_SOCKET  ".s.PGSQL.5432"
#define SOCKET_PATH_MAX    ((int)sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* False if it was truncated. */
__attribute__((format(printf, 3, 4))) bool embedded_set_path(char *out, size_t size, const char *format, ...);
#define SET_PATH(out, ...) embedded_set_path((out), sizeof(out), __VA_ARGS__)

/* All paths below e->data, with symbolic links resolved as far as the folder exists, so that it has only one name.
 * False if one is too long. */
bool embedded_set_paths(struct embedded *e);
/* The folder's name is used in settings files, URLs and socket addresses: anything that one of them does not support
 * is rejected here. */
SN_CHECKED sn_status embedded_check_name(const struct embedded *e, struct buf *error);
/* The folders of PostgreSQL's and Redis' executables. */
SN_CHECKED sn_status embedded_find_programs(struct embedded *e, struct buf *error);

#endif
