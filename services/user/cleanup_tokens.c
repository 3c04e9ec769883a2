/* Every five minutes, deletes records of used tokens that have expired. */
#include "services/user/user.h"

#include "services/user/store_factors.h"

const struct service_job user_cleanup_tokens = {
    .name = "cleanup_used_tokens", .every_s = 300, .run = store_cleanup_tokens};
