/* Removes files that no row refers to, left behind by a crash or a rolled-back transaction. Only files older than a
 * day, since uploads in progress are younger. A batch is one folder. */
#include "services/media/media.h"

#include "services/media/blobs.h"
#include "services/media/store.h"

enum { FILES_AT_ONCE = 500 };

/* --- the three kinds of files --- */

static sn_status remove_incoming(struct rpc_call *c, char **names, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                TRY(file_remove(c, "incoming", names[i]));
        }
        return SN_OK;
}

static sn_status remove_chunks(struct rpc_call *c, char **names, size_t n)
{
        char **unknown = NULL;
        size_t n_unknown = 0;

        TRY(DB_READ(c, tx, store_unknown_chunks(tx, names, n, &n_unknown, &unknown)));
        for (size_t i = 0; i < n_unknown; i++) {
                TRY(file_remove(c, "chunks", unknown[i]));
        }
        return SN_OK;
}

/* Only lists them: an upload of the same content may be about to refer to one, so remove_blobs.c checks again under the
 * lock. */
static sn_status remove_blobs(struct rpc_call *c, char **names, size_t n)
{
        return DB_WRITE(c, tx, store_unreference(tx, names, n));
}

/* --- one folder --- */

struct kind {
        bool (*is_name)(const char *name); /* other files are not ours */
        sn_status (*remove)(struct rpc_call *c, char **names, size_t n);
};

static const struct kind incoming = {uuid_valid, remove_incoming};
static const struct kind chunks = {uuid_valid, remove_chunks};
static const struct kind blobs = {blob_name_valid, remove_blobs};

static sn_status visit_folder(struct rpc_call *c, const char *folder, const struct kind *kind)
{
        char **names = NULL;
        size_t n = 0, kept = 0;

        TRY(files_list(c, folder, FILES_OLD_S, &n, &names));
        for (size_t i = 0; i < n; i++) {
                if (kind->is_name(names[i])) {
                        names[kept++] = names[i];
                }
        }
        for (size_t i = 0; i < kept; i += FILES_AT_ONCE) {
                TRY(kind->remove(c, names + i, kept - i < FILES_AT_ONCE ? kept - i : FILES_AT_ONCE));
        }
        return SN_OK;
}

/* The next folder. A restarted process begins with the first. */
static int next_folder = -2;

static sn_status remove_strays(struct rpc_call *c, bool *more)
{
        int folder = next_folder;

        next_folder = folder + 1 < BLOB_FOLDERS ? folder + 1 : -2;
        *more = next_folder != -2;
        if (folder < 0) {
                return visit_folder(c, folder == -2 ? "incoming" : "chunks", folder == -2 ? &incoming : &chunks);
        }
        return visit_folder(c, arena_printf(c->arena, "blobs/%02x", (unsigned)folder), &blobs);
}

const struct service_job media_remove_strays = {.name = "remove_strays", .every_s = 3600, .run = remove_strays};
