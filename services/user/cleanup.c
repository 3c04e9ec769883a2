/* Ends sessions that were not used for long, and deletes old sessions and logins, once an hour. */
#include "services/user/user.h"

#include "services/user/store.h"

const struct service_job user_cleanup = {.name = "cleanup_old_user_data", .every_s = 3600, .run = store_cleanup};
