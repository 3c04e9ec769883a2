/* The types of notifications. A new one needs a row in types.def.h, one of events.def.h, and its words. */
#ifndef SERVICES_NOTIFICATION_TYPES_H
#define SERVICES_NOTIFICATION_TYPES_H

#include <stdbool.h>

enum notification_type {
#define NOTIFICATION_TYPE(NAME, name, setting, by, push, mailed) TYPE_##NAME,
#include "services/notification/types.def.h"
#undef NOTIFICATION_TYPE
        TYPE_COUNT
};

/* Concerns the security of the account: it cannot be switched off. */
bool type_is_security(enum notification_type type);
/* Concerns one's own account, as all of security does: one is its actor oneself. */
bool type_is_own(enum notification_type type);
const char *type_name(enum notification_type type);
/* False: there is no type of this name. */
bool type_find(const char *name, enum notification_type *out);

#endif
