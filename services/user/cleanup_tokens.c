/* Deletes what was used of tokens that would have expired by now, every five minutes. */
#include "services/user/user.h"

#include "services/user/store_factors.h"

const struct service_job user_cleanup_tokens = {
    .name = "cleanup_used_tokens", .every_s = 300, .run = store_cleanup_tokens};
