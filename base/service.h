/* One of the nine services as it runs in this process. Filled in by `sonet serve`; libraries read what they need
 * from it. */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

#include "base/contract.h"

struct db;
struct redis;
struct db_ownership;
struct bus_leases;
struct bus_relay;
struct mail_sender;

struct service {
        const char *name; /* "note" */
        const struct rpc_service *contract;
        const void *handlers;           /* the generated struct of function pointers, e.g. struct note_service */
        struct db *db;                  /* NULL: a service without a database */
        struct redis *redis;            /* shared by the process */
        struct db_ownership *ownership; /* of this process, for all its services; NULL: none of them needs it */
        struct bus_leases *leases;      /* of its relay and its consumers' lanes; NULL: without a database */
        struct bus_relay *relay;        /* NULL: emits no events */
        struct mail_sender *mailer;     /* NULL: sends no mail */
};

#endif
