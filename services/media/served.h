/* Public files that are asked for often: which bytes they are, and their descriptors, in the memory of this process. A
 * file is looked up anew after a second at most, and at once when this process changes what is given out: HTTP caches
 * may keep it for five minutes. Files that are not public are looked up each time. */
#ifndef SERVICES_MEDIA_SERVED_H
#define SERVICES_MEDIA_SERVED_H

#include "db/db.h"

struct served {
        char *sha256, *mime_type;
        bool is_public;
};

/* False: it must be looked up. *fd is the caller's to close. */
bool served_find(struct rpc_call *c, const char *id, const char *variant, struct served *out, int *fd);
/* To be taken before a file is looked up, for served_keep: what was looked up before a change is not kept. */
uint64_t served_version(void);
/* Keeps a duplicate of fd, when the file is public and small. */
void served_keep(uint64_t version, const char *id, const char *variant, const struct served *file, int fd);
/* When this transaction ends everything is looked up anew: it changes what is given out, or to whom. */
void served_forget(struct db_tx *tx);

#endif
