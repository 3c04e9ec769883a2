/* Storage of media files: a folder (folder.c) or a bucket (bucket.c). A file is written once, under a key below "blobs"
 * or "chunks", and its bytes never change. */
#ifndef SERVICES_MEDIA_STORAGE_H
#define SERVICES_MEDIA_STORAGE_H

#include "base/call.h"
#include "base/str.h"

struct storage_names {
        size_t n;
        char **names;
};

struct storage {
        /* Stages a whole file, regardless of its offset. Its bytes are durable when this returns; its name is once it
         * is published. Unless it is published, it is removed at the end of the call or by remove_strays.c. own: a
         * unique id for the time until then. sha256: of its bytes in hex, NULL if unknown. */
        sn_status (*stage)(struct rpc_call *c, int fd, const char *own, const char *key, const char *sha256);
        /* Moves what this call has staged to its key, once, and makes its name durable. A file that is there should
         * have the same bytes, and is replaced all the same: a damaged one is repaired, and the time taken does not
         * tell that it was there. Must be quick, since a transaction is open. */
        sn_status (*publish)(struct rpc_call *c, const char *own, const char *key);
        /* Opens a file for reading from the beginning; the caller closes it. SN_NOT_FOUND if there is none. */
        sn_status (*open)(struct rpc_call *c, const char *key, int *fd);
        /* Makes it the call's answer; from a bucket only what is sent is fetched. SN_NOT_FOUND as above. */
        sn_status (*answer)(struct rpc_call *c, const char *key);
        sn_status (*exists)(struct rpc_call *c, const char *key, bool *there);
        /* SN_OK also if there was none. If it fails, remove_strays.c removes the file later. */
        sn_status (*remove)(struct rpc_call *c, const char *key);
        /* Adds the names of the files in a folder that are at least age_s old; 0: of all files. */
        sn_status (*list)(struct rpc_call *c, const char *folder, int64_t age_s, struct storage_names *names);
};

void storage_add_name(struct rpc_call *c, struct str name, struct storage_names *names);

/* make: create missing sub-folders. False on failure, which is logged. */
bool folder_use(const char *path, bool make);
extern const struct storage folder_storage;

struct bucket_options {
        const char *store;    /* s3://BUCKET */
        const char *endpoint; /* http(s)://HOST[:PORT] */
        const char *region;
        const char *keys; /* ACCESS_KEY:SECRET_KEY */
};
/* Sends no requests yet. False if an option is invalid, which is logged. */
bool bucket_use(const struct bucket_options *options);
extern const struct storage bucket_storage;

#endif
