/* Shared by the command families of `sonet admin`. */
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
        const char *service; /* deadletters: NULL: all */
        int64_t ids[ADMIN_MAX_IDS];
        size_t n_ids;
        size_t n_listed;
        const char *head;      /* audit verify: an earlier "POSITION:HASH"; NULL: none */
        int64_t limit;         /* of lists */
        const char *role;      /* user list: only members with it; "": all */
        bool suspended;        /* user list: only suspended ones */
        bool waiting;          /* user list: only those waiting for approval */
        bool now;              /* user delete: erase at once */
        int64_t uses, days;    /* of an invite */
        const char *member_id; /* user export */
        char **words;          /* operands after the command */
        struct buf error;
};

/* Takes the words after `sonet admin FAMILY`. SN_INVALID_ARGUMENT: the command line was wrong, see a->error. */
sn_status admin_dead_letters(struct admin *a, int n, char **words);
sn_status admin_audit(struct admin *a, int n, char **words);
sn_status admin_experiment(struct admin *a, int n, char **words);
sn_status admin_invite(struct admin *a, int n, char **words);
sn_status admin_search(struct admin *a, int n, char **words);
sn_status admin_media(struct admin *a, int n, char **words);
sn_status admin_mails(struct admin *a, int n, char **words);
sn_status admin_notify(struct admin *a, int n, char **words);
/* Of the member named by a->words[0]. */
sn_status admin_export(struct admin *a);
sn_status admin_user(struct admin *a, int n, char **words);

typedef sn_status (*admin_action)(struct admin *a, struct rpc_call *c);

/* Runs action with a call on a service's database, on behalf of the account that runs this program. Errors are in
 * a->error. */
sn_status admin_with_service(struct admin *a, const struct service_definition *definition, admin_action action);

#endif
