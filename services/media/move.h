/* Copying media from one storage to another. */
#ifndef SERVICES_MEDIA_MOVE_H
#define SERVICES_MEDIA_MOVE_H

#include "services/media/storage.h"

struct media_move {
        const struct storage *from, *to; /* both in use */
        int64_t copied, there;           /* there: before */
        int64_t problems;                /* files that rows refer to, and that are missing in `from`, or damaged */
        void (*say)(const char *problem);
};

/* Copies all files that rows refer to and that `to` does not have yet, and removes nothing. When it is interrupted, it
 * goes on where it was once it is called again. The server may run: files that come meanwhile need another call. */
SN_CHECKED sn_status media_move(struct rpc_call *c, struct media_move *move);

#endif
