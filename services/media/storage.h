/* Where the files of media lie: a folder (folder.c) or a bucket (bucket.c). A file is written once, under a key below
 * "blobs" or "chunks", and never changed. */
#ifndef SERVICES_MEDIA_STORAGE_H
#define SERVICES_MEDIA_STORAGE_H

#include "base/call.h"
#include "base/str.h"

struct storage_names {
        size_t n;
        char **names;
};

struct storage {
        /* Takes a file in, from its beginning, whatever its position: it is safe when this returns. Unless it is
         * published it goes with the call, or as what a crash left. own: an id that nothing else has while it is on its
         * way; sha256: of its bytes, in hex, NULL when unknown. */
        sn_status (*stage)(struct rpc_call *c, int fd, const char *own, const char *key, const char *sha256);
        /* Puts what this call has staged under its key, once; what is there has the same bytes. Quick: a transaction is
         * open. */
        sn_status (*publish)(struct rpc_call *c, const char *own, const char *key);
        /* For reading, from its beginning; the caller's to close. SN_NOT_FOUND when there is none. */
        sn_status (*open)(struct rpc_call *c, const char *key, int *fd);
        /* Answers the call with it; of one that is not here no more than what is sent is fetched. SN_NOT_FOUND as
         * above.
         */
        sn_status (*answer)(struct rpc_call *c, const char *key);
        sn_status (*exists)(struct rpc_call *c, const char *key, bool *there);
        /* SN_OK also when there was none. A file that stays is removed later, as one to which no row refers. */
        sn_status (*remove)(struct rpc_call *c, const char *key);
        /* Adds the names of the files in a folder that are at least so old; 0: of all. */
        sn_status (*list)(struct rpc_call *c, const char *folder, int64_t age_s, struct storage_names *names);
};

void storage_add_name(struct rpc_call *c, struct str name, struct storage_names *names);

/* Sub-folders are made where they are missing, when make is set. False: the log says why. */
bool folder_use(const char *path, bool make);
extern const struct storage folder_storage;

struct bucket_options {
        const char *store;    /* s3://BUCKET */
        const char *endpoint; /* http(s)://HOST[:PORT] */
        const char *region;
        const char *keys; /* ACCESS_KEY:SECRET_KEY */
};
/* Asks nothing of it yet. False: an option is wrong, as the log says. */
bool bucket_use(const struct bucket_options *options);
extern const struct storage bucket_storage;

#endif
