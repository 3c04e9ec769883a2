/* The spelling of status codes. */
#include "base/status.h"

const char *sn_status_name(sn_status status)
{
        static const char *const names[] = {
            "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
            "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
            "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
            "DATA_LOSS", "UNAUTHENTICATED",
        };
        if (status == SN_REPLAYED) {
                return "REPLAYED";
        }
        if ((unsigned)status >= sizeof(names) / sizeof(names[0])) {
                return "UNKNOWN";
        }
        return names[status];
}
