/* Normalizing names chosen by members. */
#ifndef SERVICES_MEDIA_COLLECTIONS_H
#define SERVICES_MEDIA_COLLECTIONS_H

#include "base/call.h"

/* The key by which a name is compared. SN_INVALID_ARGUMENT on the field if the name has no visible characters or more
 * than one line. */
SN_CHECKED sn_status label_key(struct rpc_call *c, const char *field, const char *label, char **key);

/* Tags as they are stored. SN_INVALID_ARGUMENT as above, on tags[i]. */
SN_CHECKED sn_status tags_fold(struct rpc_call *c, size_t n, char *const *tags, char ***folded);

#endif
