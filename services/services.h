/* The services of this program and their definitions. To add one, add its folder, and a line in services.c. */
#ifndef SERVICES_SERVICES_H
#define SERVICES_SERVICES_H

#include "base/service.h"
#include "base/settings.h"
#include "bus/bus.h"
#include "db/migrate.h"
#include "services/export.h"
#include "services/jobs.h"

struct service_definition {
        const char *name; /* "note"; its database is "note_service" */
        const struct rpc_service *contract;
        const void *handlers; /* struct <name>_handlers */
        const struct db_schema *schema;
        const struct bus_consumer *const *consumers; /* NULL-terminated */
        const struct service_job *const *jobs;       /* NULL-terminated */
        const struct service_export *exports; /* what it exports of a member (services/export.h); NULL: nothing */
        bool emits;                           /* has an outbox that is relayed */
        bool mails;                           /* has a lane that sends mails */
        bool single; /* caches its rows in memory: one process at a time owns it, see db/ownership.h */
        /* Checks of settings that only the service can make, such as of files that they name, before anything is
         * started. SN_INVALID_ARGUMENT with a sentence; NULL: none. */
        sn_status (*check)(const struct settings *settings, struct buf *error);
        /* What takes time and needs no data, such as asking another program what it can do: runs in a thread while the
         * databases are checked, and ends before the process becomes the owner, so that it serves at once when it takes
         * over. NULL: nothing. */
        void (*prepare)(struct service *service, const struct settings *settings);
        sn_status (*start)(struct service *service,
                           const struct settings *settings); /* sets up caches and the like; NULL: nothing */
        void (*stop)(struct service *service);
};

/* Generated: what the service's meson.build lists. */
#define SERVICE(name, NAME)                                                                                            \
        extern const struct bus_consumer *const name##_consumers[];                                                    \
        extern const struct service_job *const name##_jobs[];
#include "base/services.def.h"

extern const struct service_definition *const sonet_services[];
extern const size_t sonet_n_services;

/* The part of the media service that processes media, for separate machines: a role, not a service. */
extern const struct service_definition media_worker;

/* What runs for every service. */
extern const struct service_job services_cleanup;

/* NULL if there is none with that name. */
const struct service_definition *service_definition_find(const char *name);

/* Limits of lists; limit 0 means the default. */
#define PAGE_DEFAULT 20
static inline size_t page_limit(uint32_t asked)
{
        return asked == 0 ? PAGE_DEFAULT : asked;
}

#endif
