/* Names that members give. */
#ifndef SERVICES_MEDIA_COLLECTIONS_H
#define SERVICES_MEDIA_COLLECTIONS_H

#include "base/call.h"

/* How a name is compared. SN_INVALID_ARGUMENT on the field when nothing of it can be seen, or it is more than a line.
 */
SN_CHECKED sn_status label_key(struct rpc_call *c, const char *field, const char *label, char **key);

/* How the tags of a media are kept. SN_INVALID_ARGUMENT as above, on tags[i]. */
SN_CHECKED sn_status tags_fold(struct rpc_call *c, size_t n, char *const *tags, char ***folded);

#endif
