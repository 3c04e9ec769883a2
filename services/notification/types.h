/* The types of notifications. A new one needs a row in types.def.h, a row in events.def.h or a consumer, and its texts.
 */
#ifndef SERVICES_NOTIFICATION_TYPES_H
#define SERVICES_NOTIFICATION_TYPES_H

#include <stdbool.h>

enum notification_type {
#define NOTIFICATION_TYPE(NAME, name, setting, by, push, mailed) TYPE_##NAME,
#include "services/notification/types.def.h"
#undef NOTIFICATION_TYPE
        TYPE_COUNT
};

/* Whether it concerns the security of the account and cannot be turned off. */
bool type_is_security(enum notification_type type);
/* Whether it concerns the recipient's own account, as all security types do. The recipient is then the actor. */
bool type_is_own(enum notification_type type);
const char *type_name(enum notification_type type);
/* False if there is no type with this name. */
bool type_find(const char *name, enum notification_type *out);
const char *type_names(void); /* of all, separated by ", " */

#endif
