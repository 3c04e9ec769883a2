/* Owns checking rows against files and sums in portions: a folder of blobs, a page of chunks. */
#include "services/media/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "services/media/blobs.h"
#include "services/media/media.h"
#include "services/media/store.h"
#include "services/media/store_check.h"

enum { CALL_MS = 60000, CHUNKS_AT_ONCE = 1000 };

static void report_problem(struct rpc_call *c, struct media_check *check, const char *what, const char *name)
{
        check->problems++;
        check->say(arena_printf(c->arena, "%s %s", what, name));
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(char **names, size_t n)
{
        if (n > 0) {
                qsort(names, n, sizeof(*names), compare_names);
        }
}

static bool has_name(char *const *sorted, size_t n, char *name)
{
        return n > 0 && bsearch(&name, sorted, n, sizeof(*sorted), compare_names) != NULL;
}

/* --- blobs --- */

/* Checks again under the lock of its hash, since the file may just be added or removed. */
static sn_status look_again(struct db_tx *tx, const char *name, bool *missing)
{
        bool referred = false, there = false;

        TRY(blob_lock(tx, name));
        TRY(store_is_referred(tx, name, &referred));
        TRY(blob_exists(db_call(tx), name, &there));
        *missing = referred && !there;
        return SN_OK;
}

static sn_status check_there(struct rpc_call *c, struct media_check *check, const char *name)
{
        bool missing = false;

        TRY(DB_WRITE(c, tx, look_again(tx, name, &missing)));
        if (missing) {
                report_problem(c, check, "missing blob", name);
        }
        return SN_OK;
}

static bool has_all(char *const *sorted, size_t n, char *const *names, size_t n_names)
{
        for (size_t i = 0; i < n_names; i++) {
                if (!has_name(sorted, n, names[i])) {
                        return false;
                }
        }
        return true;
}

static sn_status check_blobs(struct rpc_call *c, struct media_check *check, unsigned number)
{
        char *folder = arena_printf(c->arena, "blobs/%02x", number), **rows = NULL, **files = NULL, **old = NULL;
        size_t n_rows = 0, n_files = 0, n_old = 0;

        TRY(DB_READ(c, tx, store_referred(tx, number, &n_rows, &rows)));
        TRY(files_list(c, folder, 0, &n_files, &files));
        sort(rows, n_rows);
        sort(files, n_files);
        TRY(has_all(rows, n_rows, files, n_files) ? SN_OK : files_list(c, folder, FILES_OLD_S, &n_old, &old));
        for (size_t i = 0; i < n_rows; i++) {
                TRY(has_name(files, n_files, rows[i]) ? SN_OK : check_there(c, check, rows[i]));
        }
        for (size_t i = 0; i < n_old; i++) {
                if (blob_name_valid(old[i]) && !has_name(rows, n_rows, old[i])) {
                        report_problem(c, check, "stray blob", old[i]);
                }
        }
        check->blobs += (int64_t)n_rows;
        return SN_OK;
}

/* --- chunks and unfinished uploads --- */

/* Rows are deleted before their files, so checks the row again. */
static sn_status check_chunk(struct rpc_call *c, struct media_check *check, char *id)
{
        char **unknown = NULL;
        size_t n = 0;
        bool there = false;

        TRY(chunk_exists(c, id, &there));
        if (there) {
                return SN_OK;
        }
        TRY(DB_READ(c, tx, store_unknown_chunks(tx, &id, 1, &n, &unknown)));
        if (n == 0) {
                report_problem(c, check, "missing chunk", id);
        }
        return SN_OK;
}

static sn_status check_chunks(struct rpc_call *c, struct media_check *check, char **after)
{
        char **ids = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_chunk_ids(tx, *after, CHUNKS_AT_ONCE, &n, &ids)));
        for (size_t i = 0; i < n; i++) {
                TRY(check_chunk(c, check, ids[i]));
        }
        check->chunks += (int64_t)n;
        *after = n == CHUNKS_AT_ONCE ? ids[n - 1] : NULL;
        return SN_OK;
}

/* Ignores files that are not ours. */
static sn_status list_old_ids(struct rpc_call *c, const char *folder, size_t *n, char ***ids)
{
        size_t n_all = 0;

        TRY(files_list(c, folder, FILES_OLD_S, &n_all, ids));
        *n = 0;
        for (size_t i = 0; i < n_all; i++) {
                if (uuid_valid((*ids)[i])) {
                        (*ids)[(*n)++] = (*ids)[i];
                }
        }
        return SN_OK;
}

static sn_status check_stray_chunks(struct rpc_call *c, struct media_check *check)
{
        char **old = NULL, **unknown = NULL;
        size_t n = 0, n_unknown = 0;

        TRY(list_old_ids(c, "incoming", &n, &old));
        for (size_t i = 0; i < n; i++) {
                report_problem(c, check, "stray staged file", old[i]);
        }
        TRY(list_old_ids(c, "chunks", &n, &old));
        TRY(DB_READ(c, tx, store_unknown_chunks(tx, old, n, &n_unknown, &unknown)));
        for (size_t i = 0; i < n_unknown; i++) {
                report_problem(c, check, "stray chunk", unknown[i]);
        }
        return SN_OK;
}

/* --- quotas --- */

static sn_status check_quotas(struct rpc_call *c, struct media_check *check)
{
        MediaRows__QuotaDifference **rows = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_quota_differences(tx, &n, &rows)));
        for (size_t i = 0; i < n; i++) {
                report_problem(c, check, "quota of",
                               arena_printf(c->arena,
                                            "%s: %" PRId64 " bytes used, and rows of %" PRId64 "; %" PRId64
                                            " reserved, and uploads of %" PRId64,
                                            rows[i]->user_id, rows[i]->used_bytes, rows[i]->used_sum,
                                            rows[i]->reserved_bytes, rows[i]->reserved_sum));
        }
        return SN_OK;
}

/* --- the whole check; each portion has its own memory and deadline --- */

static sn_status run_portion(struct rpc_call *c, struct media_check *check, int portion)
{
        if (portion < BLOB_FOLDERS) {
                return check_blobs(c, check, (unsigned)portion);
        }
        return portion == BLOB_FOLDERS ? check_stray_chunks(c, check) : check_quotas(c, check);
}

static sn_status check_all_chunks(struct rpc_call *c, struct media_check *check)
{
        for (char *after = ""; after != NULL;) {
                CLEANUP(rpc_call_free_p) struct rpc_call *page = rpc_call_new_background(c->service, CALL_MS);

                TRY(media_pass_on(c, page, check_chunks(page, check, &after)));
                after = after != NULL ? arena_strdup(c->arena, after) : NULL;
        }
        return SN_OK;
}

sn_status media_check(struct rpc_call *c, struct media_check *check)
{
        for (int i = 0; i < BLOB_FOLDERS + 2; i++) {
                CLEANUP(rpc_call_free_p) struct rpc_call *portion = rpc_call_new_background(c->service, CALL_MS);

                TRY(media_pass_on(c, portion, run_portion(portion, check, i)));
        }
        return check_all_chunks(c, check);
}
