/* What embedded*.c share: embedded_paths.c says where everything is, embedded.c opens the data folder,
 * embedded_servers.c runs what is kept there. */
#ifndef CMD_UP_EMBEDDED_PARTS_H
#define CMD_UP_EMBEDDED_PARTS_H

#include <sys/un.h>
#include "cmd/up/embedded.h"

#define POSTGRESQL_VERSION "15"
#define POSTGRESQL_SOCKET  ".s.PGSQL.5432"
#define SOCKET_PATH_MAX    ((int)sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* Whether the whole of it fitted. */
__attribute__((format(printf, 3, 4))) bool embedded_set_path(char *out, size_t size, const char *format, ...);
#define SET_PATH(out, ...) embedded_set_path((out), sizeof(out), __VA_ARGS__)

/* All paths below e->data, with symbolic links resolved as far as the folder exists, so that it is known under one name
 * only. False when one is too long. */
bool embedded_set_paths(struct embedded *e);
/* The folder's name goes into settings files, URLs and socket addresses: what one of them cannot take is refused here,
 * once. */
SN_CHECKED sn_status embedded_check_name(const struct embedded *e, struct buf *error);
/* Where PostgreSQL's and Redis' programs are. */
SN_CHECKED sn_status embedded_find_programs(struct embedded *e, struct buf *error);

#endif
