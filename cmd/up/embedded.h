/* Embedded: the private PostgreSQL and Redis of `sonet up`, below one data folder. Both run as the account of
 * cmd/up/process.h and listen on Unix sockets alone, in a folder that only this account can enter. PostgreSQL's roles
 * have passwords beside, derived from the key.
 *
 *   DATA/lock            held by the one `sonet up` of this folder
 *   DATA/key-check       tells whether the key belongs to this folder; holds nothing secret
 *   DATA/postgresql/15   the cluster
 *   DATA/redis           its settings (nothing that must live)
 *   DATA/run             sockets
 *   DATA/spool           bodies on their way in (base/spool.h), unless SPOOL_DIR says otherwise
 *   DATA/mails           mails as files, where there is no SMTP_URL
 *   DATA/media           what members bring
 *   DATA/log             what PostgreSQL and Redis have to say */
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
        bool fresh; /* the cluster is to be made */
};

/* Says where everything is; changes nothing. folder NULL: SONET_DATA_DIR, or the default of who we are. */
SN_CHECKED sn_status embedded_locate(struct embedded *e, const struct settings *settings, const char *folder,
                                     struct buf *error);
/* Makes what is missing, takes the lock, loads or makes the key. */
SN_CHECKED sn_status embedded_open(struct embedded *e, struct buf *error);
/* Only loads the key and looks whether it is the folder's, for commands beside a running `sonet up`. */
SN_CHECKED sn_status embedded_attach(struct embedded *e, struct buf *error);
/* Starts both as children with these ranks (lower ranks stop first) and waits until they answer. SN_CANCELLED: asked to
 * stop. */
SN_CHECKED sn_status embedded_start(struct embedded *e, struct supervisor *s, int redis_rank, int postgresql_rank,
                                    struct buf *error);

/* URLs with their passwords: never log them. */
const char *embedded_admin_url(const struct embedded *e, struct arena *arena);
const char *embedded_database_url(const struct embedded *e, struct arena *arena, const char *database);
const char *embedded_redis_url(const struct embedded *e, struct arena *arena);

#endif
