/* Embedded: the private PostgreSQL and Redis of `sonet up`, in one data folder. Both run under the account of
 * cmd/up/process.h and listen on Unix sockets only, in a folder that only this account can enter. In addition
 * PostgreSQL's roles have passwords, derived from the key.
 *
 *   DATA/lock            held by the running `sonet up` of this folder
 *   DATA/key-check       for checking that the key belongs to this folder; not secret
 *   DATA/postgresql/15   the cluster
 *   DATA/redis           its settings (no data)
 *   DATA/run             sockets
 *   DATA/spool           incoming bodies (base/spool.h), unless SPOOL_DIR is set
 *   DATA/mails           mails as files, if there is no SMTP_URL
 *   DATA/media           members' media
 *   DATA/log             the logs of PostgreSQL and Redis */
#ifndef CMD_UP_EMBEDDED_H
#define CMD_UP_EMBEDDED_H

#include <limits.h>
#include <stdbool.h>
#include "base/arena.h"
#include "base/buf.h"
#include "base/settings.h"
#include "base/status.h"
#include "cmd/up/embedded_memory.h"
#include "cmd/up/process.h"
#include "cmd/up/supervisor.h"

#define EMBEDDED_PATH_MAX        512
#define EMBEDDED_MAX_CONNECTIONS 120 /* nine services at their defaults, and a reserve */
#define EMBEDDED_ADMIN_ROLE      "sonet_admin"

struct embedded {
        struct account account;
        char data[EMBEDDED_PATH_MAX];
        char key_file[PATH_MAX];
        char postgresql[EMBEDDED_PATH_MAX], cluster[EMBEDDED_PATH_MAX], cluster_new[EMBEDDED_PATH_MAX];
        char redis[EMBEDDED_PATH_MAX], run[EMBEDDED_PATH_MAX], log[EMBEDDED_PATH_MAX];
        char spool[EMBEDDED_PATH_MAX], mails[EMBEDDED_PATH_MAX], media[EMBEDDED_PATH_MAX];
        char postgresql_log[EMBEDDED_PATH_MAX], redis_log[EMBEDDED_PATH_MAX], redis_socket[EMBEDDED_PATH_MAX];
        char redis_settings[EMBEDDED_PATH_MAX];
        char postgresql_bin[PATH_MAX], redis_server[PATH_MAX];
        char admin_password[44];
        struct embedded_memory memory;
        int lock_fd;
        bool fresh; /* the cluster must be created */
};

/* Determines all paths; changes nothing. folder NULL: SONET_DATA_DIR, or the account's default. */
SN_CHECKED sn_status embedded_locate(struct embedded *e, const struct settings *settings, const char *folder,
                                     struct buf *error);
/* Creates what is missing, takes the lock, loads or creates the key. */
SN_CHECKED sn_status embedded_open(struct embedded *e, struct buf *error);
/* Only loads the key and checks that it belongs to the folder, for commands used next to a running `sonet up`. */
SN_CHECKED sn_status embedded_attach(struct embedded *e, struct buf *error);
/* Starts both as children with these ranks (lower ranks stop first) and waits until they respond. SN_CANCELLED:
 * stopping was requested. */
SN_CHECKED sn_status embedded_start(struct embedded *e, struct supervisor *s, int redis_rank, int postgresql_rank,
                                    struct buf *error);

/* Whether PostgreSQL accepts connections. */
bool embedded_postgresql_answers(const struct embedded *e);

/* URLs with their passwords: never log them. */
const char *embedded_admin_url(const struct embedded *e, struct arena *arena);
const char *embedded_database_url(const struct embedded *e, struct arena *arena, const char *database);
const char *embedded_redis_url(const struct embedded *e, struct arena *arena);

#endif
