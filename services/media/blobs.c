/* Owns the names of blobs and chunks in the storage, and the order in which files and rows are created and removed. */
#include "services/media/blobs.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"

enum { READ_BYTES = 1 << 16 };

static const struct storage *storage; /* NULL until blobs_use */

/* --- start --- */

sn_status blobs_use(const struct blobs_options *o, bool make)
{
        storage = o->bucket.store[0] != '\0' ? &bucket_storage : o->folder[0] != '\0' ? &folder_storage : NULL;
        if (storage == NULL) {
                log_event(LOG_LEVEL_WARN, "neither MEDIA_DIR nor MEDIA_STORE is set: media uploads are disabled");
                return SN_OK;
        }
        return (storage == &bucket_storage ? bucket_use(&o->bucket) : folder_use(o->folder, make)) ? SN_OK
                                                                                                   : SN_INTERNAL;
}

struct blobs_options blobs_options(const struct settings *s)
{
        return (struct blobs_options){s->media_dir,
                                      {s->media_store, s->media_s3_endpoint, s->media_s3_region, s->media_s3_keys}};
}

/* --- names --- */

bool blob_name_valid(const char *name)
{
        return strlen(name) == BLOB_NAME_SIZE - 1 && strspn(name, "0123456789abcdef") == BLOB_NAME_SIZE - 1;
}

char *blob_key(struct arena *arena, const char *name)
{
        return arena_printf(arena, "blobs/%.2s/%s", name, name);
}

char *chunk_key(struct arena *arena, const char *id)
{
        return arena_printf(arena, "chunks/%s", id);
}

static bool hash_all(int fd, EVP_MD_CTX *hash, uint8_t digest[32])
{
        uint8_t bytes[READ_BYTES];
        ssize_t n = 0;

        for (off_t at = 0; (n = pread(fd, bytes, sizeof(bytes), at)) > 0; at += n) {
                if (EVP_DigestUpdate(hash, bytes, (size_t)n) != 1) {
                        return false;
                }
        }
        return n == 0 && EVP_DigestFinal_ex(hash, digest, NULL) == 1;
}

static void write_name(const uint8_t digest[32], char name[BLOB_NAME_SIZE])
{
        for (size_t i = 0; i < 32; i++) {
                (void)snprintf(name + 2 * i, 3, "%02x", digest[i]);
        }
}

bool blob_name_of(int fd, char name[BLOB_NAME_SIZE])
{
        uint8_t digest[32];
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        bool ok = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 && hash_all(fd, hash, digest);

        EVP_MD_CTX_free(hash);
        if (ok) {
                write_name(digest, name);
        }
        return ok;
}

static int64_t size_of(int fd)
{
        struct stat file;
        return fstat(fd, &file) == 0 ? file.st_size : 0;
}

/* --- adding --- */

static sn_status check_usable(struct rpc_call *c)
{
        CALL_ASSERT_NO_TRANSACTION(c);
        return storage != NULL ? SN_OK : rpc_fail(c, SN_UNAVAILABLE, NULL, "this server does not store media");
}

sn_status blob_stage(struct rpc_call *c, int fd, const uint8_t *sha256, struct staged_blob *out)
{
        TRY(check_usable(c));
        if (sha256 != NULL) {
                write_name(sha256, out->name);
        } else if (!blob_name_of(fd, out->name)) {
                return rpc_fail(c, SN_INTERNAL, NULL, "the file could not be read");
        }
        out->size_bytes = size_of(fd);
        out->own = uuid_new_in(c->arena);
        return storage->stage(c, fd, out->own, blob_key(c->arena, out->name), out->name);
}

sn_status blob_lock(struct db_tx *tx, const char *name)
{
        return db_lock_one(tx, "media blob", name);
}

/* Within the transaction because of its lock: remove_blobs.c must not remove the file between its move and the commit
 * of the row that refers to it. */
sn_status blob_publish(struct db_tx *tx, const struct staged_blob *blob)
{
        TRY(blob_lock(tx, blob->name));
        return storage->publish(db_call(tx), blob->own, blob_key(db_arena(tx), blob->name));
}

sn_status chunk_stage(struct rpc_call *c, int fd, const char *id)
{
        TRY(check_usable(c));
        return storage->stage(c, fd, id, chunk_key(c->arena, id), NULL);
}

sn_status chunk_publish(struct db_tx *tx, const char *id)
{
        return storage->publish(db_call(tx), id, chunk_key(db_arena(tx), id));
}

/* --- reading --- */

static sn_status fail_missing(struct rpc_call *c)
{
        return rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file");
}

static sn_status open_key(struct rpc_call *c, const char *key, int *fd)
{
        return storage != NULL ? storage->open(c, key, fd) : fail_missing(c);
}

sn_status blob_open(struct rpc_call *c, const char *name, int *fd)
{
        return open_key(c, blob_key(c->arena, name), fd);
}

sn_status blob_answer(struct rpc_call *c, const char *name)
{
        return storage != NULL ? storage->answer(c, blob_key(c->arena, name)) : fail_missing(c);
}

sn_status chunk_open(struct rpc_call *c, const char *id, int *fd)
{
        return open_key(c, chunk_key(c->arena, id), fd);
}

sn_status blob_exists(struct rpc_call *c, const char *name, bool *there)
{
        *there = false;
        return storage != NULL ? storage->exists(c, blob_key(c->arena, name), there) : SN_OK;
}

sn_status chunk_exists(struct rpc_call *c, const char *id, bool *there)
{
        *there = false;
        return storage != NULL ? storage->exists(c, chunk_key(c->arena, id), there) : SN_OK;
}

/* --- removing --- */

struct removal {
        struct rpc_call *call;
        const char *key;
};

/* A failure is logged; remove_strays.c removes the file later. */
static void remove_committed(void *context)
{
        const struct removal *r = context;

        (void)!storage->remove(r->call, r->key);
}

void chunk_remove_after(struct db_tx *tx, const char *id)
{
        struct removal *r = ARENA_NEW(db_arena(tx), struct removal);

        *r = (struct removal){db_call(tx), chunk_key(db_arena(tx), id)};
        if (storage != NULL) {
                db_on_commit(tx, remove_committed, r);
        }
}

sn_status blob_remove(struct rpc_call *c, const char *name)
{
        return storage != NULL ? storage->remove(c, blob_key(c->arena, name)) : SN_OK;
}

void storage_add_name(struct rpc_call *c, struct str name, struct storage_names *names)
{
        if ((names->n & (names->n - 1)) == 0) { /* full: double it, since there may be many */
                char **more = ARENA_ARRAY(c->arena, char *, names->n == 0 ? 1 : 2 * names->n);

                memcpy(more, names->names, names->n * sizeof(*more));
                names->names = more;
        }
        names->names[names->n++] = str_dup(c->arena, name);
}

sn_status files_list(struct rpc_call *c, const char *folder, int64_t age_s, size_t *n, char ***names)
{
        struct storage_names listed = {0, ARENA_ARRAY(c->arena, char *, 1)};

        TRY(storage != NULL ? storage->list(c, folder, age_s, &listed) : SN_OK);
        *n = listed.n;
        *names = listed.names;
        return SN_OK;
}

sn_status file_remove(struct rpc_call *c, const char *folder, const char *name)
{
        return storage->remove(c, arena_printf(c->arena, "%s/%s", folder, name));
}
