/* `sonet admin`: what its families of commands share. */
#ifndef CMD_ADMIN_ADMIN_H
#define CMD_ADMIN_ADMIN_H

#include "base/settings.h"
#include "cmd/up/embedded.h"
#include "services/services.h"

#define ADMIN_MAX_IDS 1000

struct admin {
        struct settings settings;
        struct embedded embedded;
        bool attached; /* the databases are those of `sonet up` */
        struct arena *arena;
        const char *folder;
        const char *service; /* deadletters: NULL: every one */
        int64_t ids[ADMIN_MAX_IDS];
        size_t n_ids;
        size_t n_listed;
        const char *head;      /* audit verify: "POSITION:HASH" from an earlier time; NULL: none */
        int64_t limit;         /* of lists */
        const char *role;      /* user list: only those with it; "": all */
        bool suspended;        /* user list: only those who are */
        bool waiting;          /* user list: only those who wait for approval */
        bool now;              /* user delete: erase at once */
        int64_t uses, days;    /* of an invite */
        const char *member_id; /* user export */
        char **words;          /* what stands after the command */
        struct buf error;
};

/* The words after `sonet admin FAMILY`. SN_INVALID_ARGUMENT: the command line was wrong, see a->error. */
sn_status admin_dead_letters(struct admin *a, int n, char **words);
sn_status admin_audit(struct admin *a, int n, char **words);
sn_status admin_experiment(struct admin *a, int n, char **words);
sn_status admin_invite(struct admin *a, int n, char **words);
sn_status admin_search(struct admin *a, int n, char **words);
sn_status admin_media(struct admin *a, int n, char **words);
sn_status admin_mails(struct admin *a, int n, char **words);
sn_status admin_notify(struct admin *a, int n, char **words);
/* Of the member that a->words[0] names. */
sn_status admin_export(struct admin *a);
sn_status admin_user(struct admin *a, int n, char **words);

typedef sn_status (*admin_action)(struct admin *a, struct rpc_call *c);

/* Runs action with a call on the database of a service, in the name of the account that runs us. What went wrong is in
 * a->error. */
sn_status admin_with_service(struct admin *a, const struct service_definition *definition, admin_action action);

#endif
