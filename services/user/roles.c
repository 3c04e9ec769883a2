/* Owns the table of roles. */
#include "services/user/roles.h"

#include <string.h>

const struct role roles[] = {
    {"member", "read write"},
    {"moderator", "read write moderate"},
    {"administrator", "read write moderate administer analytics"},
};
const size_t n_roles = sizeof(roles) / sizeof(roles[0]);

const struct role *role_find(const char *name)
{
        for (size_t i = 0; i < n_roles; i++) {
                if (strcmp(roles[i].name, name) == 0) {
                        return &roles[i];
                }
        }
        return NULL;
}
