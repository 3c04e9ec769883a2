/* The job that writes the accesses recorded by this process (access_log.h). */
#include "services/media/access_log.h"
#include "services/media/media.h"

static sn_status write_accesses(struct rpc_call *c, bool *more)
{
        *more = false;
        return access_log_flush(c);
}

const struct service_job media_write_accesses = {.name = "write_accesses", .every_s = 5, .run = write_accesses};
