/* Roles: what a member may do beyond being one. A method's `access` names a scope; the access tokens of a role carry
 * its scopes. */
#ifndef SERVICES_USER_ROLES_H
#define SERVICES_USER_ROLES_H

#include <stddef.h>

struct role {
        const char *name;   /* as users.role has it */
        const char *scopes; /* of its tokens, apart by spaces */
};

/* From the one who may least to the one who may most: each has the scopes of those before it. */
extern const struct role roles[];
extern const size_t n_roles;

/* NULL when there is none of that name. */
const struct role *role_find(const char *name);

#endif
