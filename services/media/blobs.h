/* Blobs: the bytes of media, each content once under its SHA-256, in a storage (storage.h).
 *
 * A blob is added in three steps. It is staged under a temporary name, which puts its bytes on disk. In the transaction
 * that writes its row, its hash is locked and the file is moved to its final name. Then the row is committed. So there
 * is never a row without a file. A crash in between leaves a file without a row, which a job removes under the same
 * lock.
 */
#ifndef SERVICES_MEDIA_BLOBS_H
#define SERVICES_MEDIA_BLOBS_H

#include "base/call.h"
#include "base/settings.h"
#include "db/db.h"
#include "services/media/storage.h"

enum { BLOB_NAME_SIZE = 65 }; /* SHA-256 in hex and NUL */

struct staged_blob {
        char name[BLOB_NAME_SIZE]; /* its final name */
        int64_t size_bytes;
        const char *own; /* its temporary name */
};

struct blobs_options {
        const char *folder; /* "" if there is none */
        struct bucket_options bucket;
};
struct blobs_options blobs_options(const struct settings *settings);
/* Uses the bucket if there is one, otherwise the folder. make: create missing sub-folders. */
SN_CHECKED sn_status blobs_use(const struct blobs_options *options, bool make);

/* Stages a whole file, regardless of its offset, without closing it. Its bytes are on disk when this returns. Unless it
 * is published, it is removed at the end of the call, or in a bucket by remove_strays.c. sha256: of all its bytes;
 * NULL: is computed. SN_RESOURCE_EXHAUSTED if the disk is full. */
SN_CHECKED sn_status blob_stage(struct rpc_call *c, int fd, const uint8_t *sha256, struct staged_blob *out);
/* Locks its hash until the transaction ends, and moves it to its final name, where it replaces a file that is there. */
SN_CHECKED sn_status blob_publish(struct db_tx *tx, const struct staged_blob *blob);

/* --- chunks of uploads, named by their ids --- */

/* Its bytes are on disk when this returns; removed like a blob unless it is published. */
SN_CHECKED sn_status chunk_stage(struct rpc_call *c, int fd, const char *id);
/* Moves it to its final name, in the transaction that writes its row and after the last check. */
SN_CHECKED sn_status chunk_publish(struct db_tx *tx, const char *id);
SN_CHECKED sn_status chunk_open(struct rpc_call *c, const char *id, int *fd);
/* Removes the file when the transaction, which deletes its row, has committed. */
void chunk_remove_after(struct db_tx *tx, const char *id);

/* --- reading --- */

/* Keys in the storage. */
char *blob_key(struct arena *arena, const char *name);
char *chunk_key(struct arena *arena, const char *id);
bool blob_name_valid(const char *name);
/* The blob name of a file. False if it cannot be read. */
SN_CHECKED bool blob_name_of(int fd, char name[BLOB_NAME_SIZE]);
SN_CHECKED sn_status blob_exists(struct rpc_call *c, const char *name, bool *there);
SN_CHECKED sn_status chunk_exists(struct rpc_call *c, const char *id, bool *there);
/* Opens it for reading; the caller closes it. SN_NOT_FOUND if there is none. */
SN_CHECKED sn_status blob_open(struct rpc_call *c, const char *name, int *fd);
/* Makes it the call's answer. SN_NOT_FOUND if there is none. */
SN_CHECKED sn_status blob_answer(struct rpc_call *c, const char *name);
/* Removes the file. The lock of its hash must be held, and no row may refer to it. */
SN_CHECKED sn_status blob_lock(struct db_tx *tx, const char *name);
SN_CHECKED sn_status blob_remove(struct rpc_call *c, const char *name);

/* --- left behind by crashes and rolled-back transactions --- */

/* The number of blob folders, 00 to ff. */
enum { BLOB_FOLDERS = 256 };
/* At least a day: uploads in progress are younger. */
enum { FILES_OLD_S = 86400 };
/* Lists the files in a folder of the storage that were not modified for age_s; 0: all files. */
SN_CHECKED sn_status files_list(struct rpc_call *c, const char *folder, int64_t age_s, size_t *n, char ***names);
SN_CHECKED sn_status file_remove(struct rpc_call *c, const char *folder, const char *name);

#endif
