/* Owns `sonet admin media`: comparing rows and files (services/media/check.h), moving files between a folder and a
 * bucket (move.h), and the blocklist (blocks.h). */
#include "services/media/blocks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "cmd/admin/admin.h"
#include "services/media/blobs.h"
#include "services/media/check.h"
#include "services/media/move.h"
#include "services/media/store_blocks.h"

/* --- check --- */

static void print_problem(const char *problem)
{
        printf("%s\n", problem);
}

/* The settings, with the folder of `sonet up` as the default. */
static struct blobs_options storage_options(const struct admin *a)
{
        struct blobs_options options = blobs_options(&a->settings);

        options.folder = options.folder[0] == '\0' && a->attached ? a->embedded.media : options.folder;
        return options;
}

static sn_status fail_setup(struct rpc_call *c)
{
        return rpc_fail(c, SN_FAILED_PRECONDITION, NULL, "cannot use the folder or the bucket; see the log above");
}

static sn_status admin_media_check(struct admin *a, struct rpc_call *c)
{
        struct media_check result = {.say = print_problem};
        const struct blobs_options options = storage_options(a);

        if (blobs_use(&options, false) != SN_OK) {
                return fail_setup(c);
        }
        TRY(media_check(c, &result));
        if (result.problems > 0) {
                return rpc_fail(c, SN_DATA_LOSS, NULL, "%" PRId64 " problems", result.problems);
        }
        printf("%" PRId64 " blobs and %" PRId64 " chunks present; all quotas are correct\n", result.blobs,
               result.chunks);
        return SN_OK;
}

/* --- move --- */

static sn_status admin_media_move(struct admin *a, struct rpc_call *c)
{
        const struct blobs_options o = storage_options(a);
        bool to_bucket = strcmp(a->words[0], "bucket") == 0;
        struct media_move result = {.from = to_bucket ? &folder_storage : &bucket_storage,
                                    .to = to_bucket ? &bucket_storage : &folder_storage,
                                    .say = print_problem};

        if ((!to_bucket && strcmp(a->words[0], "folder") != 0) || o.folder[0] == '\0' || o.bucket.store[0] == '\0') {
                return rpc_fail(c, SN_INVALID_ARGUMENT, NULL,
                                "use 'media move bucket' or 'media move folder', with both MEDIA_DIR and MEDIA_STORE "
                                "set");
        }
        if (!bucket_use(&o.bucket) || !folder_use(o.folder, !to_bucket)) {
                return rpc_fail(c, SN_FAILED_PRECONDITION, NULL,
                                "cannot use the folder or the bucket; see the log above");
        }
        TRY(media_move(c, &result));
        printf("%" PRId64 " files copied, %" PRId64 " already present\n", result.copied, result.there);
        return result.problems == 0
                   ? SN_OK
                   : rpc_fail(c, SN_DATA_LOSS, NULL, "%" PRId64 " files are missing or damaged", result.problems);
}

/* --- the block list --- */

static sn_status admin_media_block(struct admin *a, struct rpc_call *c)
{
        int64_t n = 0;

        TRY(DB_WRITE(c, tx, block_add(tx, a->words[0], a->words[1], &n)));
        printf("%" PRId64 " hashes blocked; existing media that match fail within a minute\n", n);
        return SN_OK;
}

static sn_status admin_media_unblock(struct admin *a, struct rpc_call *c)
{
        return DB_WRITE(c, tx, block_remove(tx, a->words[0]));
}

static sn_status admin_media_list(struct admin *a, struct rpc_call *c)
{
        MediaRows__Block **blocks = NULL;
        char when[CLOCK_RFC3339_SIZE];
        size_t n = 0;

        TRY(DB_READ(c, tx, block_store_list(tx, a->limit, &n, &blocks)));
        for (size_t i = 0; i < n; i++) {
                const MediaRows__Block *b = blocks[i];

                printf("%s%s  %s  %s%s\n", b->content_sha256, b->perceptual_hash,
                       clock_format_ms(b->created_at->seconds * 1000, when), b->is_applied ? "" : "(being applied)  ",
                       b->reason);
        }
        return SN_OK;
}

sn_status admin_media(struct admin *a, int n, char **words)
{
        static const struct {
                const char *name;
                int words; /* number of operands */
                admin_action run;
        } commands[] = {{"check", 0, admin_media_check},
                        {"move", 1, admin_media_move},
                        {"block", 2, admin_media_block},
                        {"unblock", 1, admin_media_unblock},
                        {"blocks", 0, admin_media_list}};

        for (size_t i = 0; n > 0 && i < sizeof(commands) / sizeof(commands[0]); i++) {
                if (strcmp(words[0], commands[i].name) == 0 && n - 1 == commands[i].words) {
                        a->words = words + 1;
                        return admin_with_service(a, service_definition_find("media"), commands[i].run);
                }
        }
        buf_append_c(&a->error, "expected 'media check', 'media move bucket|folder', 'media block HASH|MEDIA REASON', "
                                "'media unblock HASH' or"
                                " 'media blocks'");
        return SN_INVALID_ARGUMENT;
}
