/* Owns copying the files that rows refer to, one by one. A file that was copied completely is final. */
#include "services/media/move.h"

#include <string.h>
#include <unistd.h>
#include "services/media/blobs.h"
#include "services/media/media.h"
#include "services/media/store.h"
#include "services/media/store_check.h"

enum { CALL_MS = 600000, CHUNKS_AT_ONCE = 1000 };

struct moved_file {
        char *name;
        const char *key;
        bool is_blob; /* its name is the SHA-256 of its content */
};

/* If the row was deleted while its file was being copied, nothing is missing. */
static sn_status still_referred(struct rpc_call *c, const struct moved_file *file, bool *referred)
{
        char **unknown = NULL, *id = file->name;
        size_t n = 0;

        if (file->is_blob) {
                return DB_READ(c, tx, store_is_referred(tx, file->name, referred));
        }
        TRY(DB_READ(c, tx, store_unknown_chunks(tx, &id, 1, &n, &unknown)));
        *referred = n == 0;
        return SN_OK;
}

static sn_status note_problem(struct rpc_call *c, struct media_move *move, const struct moved_file *file,
                              const char *what)
{
        bool referred = false;

        TRY(still_referred(c, file, &referred));
        if (referred) {
                move->problems++;
                move->say(arena_printf(c->arena, "%s %s", what, file->key));
        }
        return SN_OK;
}

static sn_status copy_opened(struct rpc_call *c, struct media_move *move, const struct moved_file *file, int fd)
{
        char *own = uuid_new_in(c->arena), name[BLOB_NAME_SIZE];

        if (file->is_blob && (!blob_name_of(fd, name) || strcmp(name, file->name) != 0)) {
                return note_problem(c, move, file, "damaged");
        }
        TRY(move->to->stage(c, fd, own, file->key, file->is_blob ? file->name : NULL));
        TRY(move->to->publish(c, own, file->key));
        move->copied++;
        return SN_OK;
}

static sn_status copy_file(struct rpc_call *c, struct media_move *move, const struct moved_file *file)
{
        int fd = -1;
        sn_status status = move->from->open(c, file->key, &fd);

        if (status == SN_NOT_FOUND) {
                return note_problem(c, move, file, "missing");
        }
        TRY(status);
        status = copy_opened(c, move, file, fd);
        close(fd);
        return status;
}

/* Each file has its own memory and deadline. */
static sn_status copy_unless_there(struct rpc_call *c, struct media_move *move, const struct moved_file *file)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *own = rpc_call_new_background(c->service, CALL_MS);
        bool there = false;
        sn_status status = move->to->exists(own, file->key, &there);

        move->there += there;
        if (status == SN_OK && !there) {
                status = copy_file(own, move, file);
        }
        return media_pass_on(c, own, status);
}

static sn_status move_blobs(struct rpc_call *c, struct media_move *move, unsigned number)
{
        char **names = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_referred(tx, number, &n, &names)));
        for (size_t i = 0; i < n; i++) {
                const struct moved_file file = {names[i], blob_key(c->arena, names[i]), true};
                TRY(copy_unless_there(c, move, &file));
        }
        return SN_OK;
}

static sn_status move_chunks(struct rpc_call *c, struct media_move *move, char **after)
{
        char **ids = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_chunk_ids(tx, *after, CHUNKS_AT_ONCE, &n, &ids)));
        for (size_t i = 0; i < n; i++) {
                const struct moved_file file = {ids[i], chunk_key(c->arena, ids[i]), false};
                TRY(copy_unless_there(c, move, &file));
        }
        *after = n == CHUNKS_AT_ONCE ? ids[n - 1] : NULL;
        return SN_OK;
}

static sn_status move_all_chunks(struct rpc_call *c, struct media_move *move)
{
        for (char *after = ""; after != NULL;) {
                CLEANUP(rpc_call_free_p) struct rpc_call *page = rpc_call_new_background(c->service, CALL_MS);

                TRY(media_pass_on(c, page, move_chunks(page, move, &after)));
                after = after != NULL ? arena_strdup(c->arena, after) : NULL;
        }
        return SN_OK;
}

sn_status media_move(struct rpc_call *c, struct media_move *move)
{
        for (unsigned i = 0; i < BLOB_FOLDERS; i++) {
                CLEANUP(rpc_call_free_p) struct rpc_call *folder = rpc_call_new_background(c->service, CALL_MS);

                TRY(media_pass_on(c, folder, move_blobs(folder, move, i)));
        }
        return move_all_chunks(c, move);
}
