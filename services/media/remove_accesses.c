/* Removes access log entries after 30 days. */
#include "services/media/media.h"

#include "services/media/store_access_logs.h"

const struct service_job media_remove_accesses = {
    .name = "remove_accesses", .every_s = 3600, .run = store_remove_accesses};
