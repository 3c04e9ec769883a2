/* Derives the number of connections from the process's open-file limit. */
#include <sys/resource.h>

#include "http/server.h"

static int64_t possible_limit(int64_t wanted, int64_t reserved)
{
        const rlim_t needed = (rlim_t)(wanted + reserved);
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
                return wanted;
        }
        if (limit.rlim_cur < needed) { /* no further: children would inherit a limit that they do not expect */
                const rlim_t before = limit.rlim_cur;
                limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
                if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
                        limit.rlim_cur = before;
                }
        }
        if (limit.rlim_cur >= needed) {
                return wanted;
        }
        const rlim_t least = 2 * (rlim_t)reserved; /* below it the reserve is half */
        return (int64_t)(limit.rlim_cur < least ? limit.rlim_cur / 2 : limit.rlim_cur - (rlim_t)reserved);
}

struct http_share http_share_descriptors(int64_t http, int64_t grpc, int64_t reserved)
{
        int64_t all = possible_limit(http + grpc, reserved);
        int64_t for_grpc = grpc < all / 4 ? grpc : all / 4;
        int64_t for_http = http < all - for_grpc ? http : all - for_grpc;
        return (struct http_share){.http = (int)for_http, .grpc = (int)for_grpc};
}
