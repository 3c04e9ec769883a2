/* A cache, in this process, of popular public files and their descriptors. Entries expire after a second, and at once
 * when this process changes what is served; HTTP caches may keep files for five minutes anyway. Files that are not
 * public are never cached. */
#ifndef SERVICES_MEDIA_SERVED_H
#define SERVICES_MEDIA_SERVED_H

#include "db/db.h"

struct served {
        char *sha256, *mime_type;
        bool is_public;
};

/* False if the file must be looked up. The caller closes *fd. */
bool served_find(struct rpc_call *c, const char *id, const char *variant, struct served *out, int *fd);
/* Call it before looking up a file, for served_keep: results from before a change are not cached. */
uint64_t served_version(void);
/* Caches a duplicate of fd if the file is public and small. */
void served_keep(uint64_t version, const char *id, const char *variant, const struct served *file, int fd);
/* Empties the cache when this transaction ends, since it changes what is served or to whom. */
void served_forget(struct db_tx *tx);

#endif
