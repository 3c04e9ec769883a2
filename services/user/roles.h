/* Roles: the additional rights of members. A method's `access` names a scope; access tokens have the scopes of the
 * member's role. */
#ifndef SERVICES_USER_ROLES_H
#define SERVICES_USER_ROLES_H

#include <stddef.h>

struct role {
        const char *name;   /* as in users.role */
        const char *scopes; /* of its tokens, space-separated */
};

/* In ascending order: each role has the scopes of those before it. */
extern const struct role roles[];
extern const size_t n_roles;

/* NULL if there is no role with that name. */
const struct role *role_find(const char *name);

#endif
