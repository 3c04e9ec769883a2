/* Copies media from one storage to another. */
#ifndef SERVICES_MEDIA_MOVE_H
#define SERVICES_MEDIA_MOVE_H

#include "services/media/storage.h"

struct media_move {
        const struct storage *from, *to; /* both initialized */
        int64_t copied, there;           /* there: existed before */
        int64_t problems;                /* files that rows refer to but that are missing or damaged in `from` */
        void (*say)(const char *problem);
};

/* Copies all files that rows refer to and that `to` lacks, and removes nothing. After an interruption, calling it again
 * continues. The server may be running; files added meanwhile need another call. */
SN_CHECKED sn_status media_move(struct rpc_call *c, struct media_move *move);

#endif
