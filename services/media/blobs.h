/* Blobs: the bytes of media, each content once under its SHA-256, in a storage (storage.h).
 *
 * A blob comes in three steps: it is staged under a name of its own and is on disk then; in the transaction that writes
 * the row about it its hash is locked and it is moved to its place; the row is committed. So there is no row without a
 * file. A crash in between leaves a file without a row; a job removes it, under the same lock. */
#ifndef SERVICES_MEDIA_BLOBS_H
#define SERVICES_MEDIA_BLOBS_H

#include "base/call.h"
#include "base/settings.h"
#include "db/db.h"
#include "services/media/storage.h"

enum { BLOB_NAME_SIZE = 65 }; /* SHA-256 in hex, and NUL */

struct staged_blob {
        char name[BLOB_NAME_SIZE]; /* which it will have */
        int64_t size_bytes;
        const char *own; /* what it is known by until then */
};

struct blobs_options {
        const char *folder; /* "": none */
        struct bucket_options bucket;
};
struct blobs_options blobs_options(const struct settings *settings);
/* In the bucket if there is one, otherwise in the folder. make: sub-folders that are missing. */
SN_CHECKED sn_status blobs_use(const struct blobs_options *options, bool make);

/* Takes a file in, whatever its position, and does not close it. It is on disk afterwards. What is not published goes
 * with the call. sha256: of all its bytes; NULL: it is made here. SN_RESOURCE_EXHAUSTED when the disk is full. */
SN_CHECKED sn_status blob_stage(struct rpc_call *c, int fd, const uint8_t *sha256, struct staged_blob *out);
/* Locks its hash until the transaction ends, and puts it in its place unless the same content is there. */
SN_CHECKED sn_status blob_publish(struct db_tx *tx, const struct staged_blob *blob);

/* --- chunks of uploads, under ids of their own --- */

/* On disk when it returns. What is not published goes with the call. */
SN_CHECKED sn_status chunk_stage(struct rpc_call *c, int fd, const char *id);
/* Puts it in its place, within the transaction that writes its row, after the last check. */
SN_CHECKED sn_status chunk_publish(struct db_tx *tx, const char *id);
SN_CHECKED sn_status chunk_open(struct rpc_call *c, const char *id, int *fd);
/* Call it once the transaction that deletes its row has committed. */
void chunk_remove_after(struct db_tx *tx, const char *id);

/* --- what is there --- */

/* Their keys in the storage. */
char *blob_key(struct arena *arena, const char *name);
char *chunk_key(struct arena *arena, const char *id);
bool blob_name_valid(const char *name);
/* The name that a file has as a blob. False: it cannot be read. */
SN_CHECKED bool blob_name_of(int fd, char name[BLOB_NAME_SIZE]);
SN_CHECKED sn_status blob_exists(struct rpc_call *c, const char *name, bool *there);
SN_CHECKED sn_status chunk_exists(struct rpc_call *c, const char *id, bool *there);
/* For reading; the caller's to close. SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status blob_open(struct rpc_call *c, const char *name, int *fd);
/* Answers the call with it. SN_NOT_FOUND when there is none. */
SN_CHECKED sn_status blob_answer(struct rpc_call *c, const char *name);
/* Under the lock of its hash: nothing refers to it any more. */
SN_CHECKED sn_status blob_lock(struct db_tx *tx, const char *name);
SN_CHECKED sn_status blob_remove(struct rpc_call *c, const char *name);

/* --- what a crash, or a transaction that was rolled back, left --- */

/* How many folders of blobs there are: 00 to ff. */
enum { BLOB_FOLDERS = 256 };
/* Of a day at least: nothing that is still on its way is so old. */
enum { FILES_OLD_S = 86400 };
/* Names of files in a folder of the storage that nobody has written to for so long; 0: of all. */
SN_CHECKED sn_status files_list(struct rpc_call *c, const char *folder, int64_t age_s, size_t *n, char ***names);
SN_CHECKED sn_status file_remove(struct rpc_call *c, const char *folder, const char *name);

#endif
