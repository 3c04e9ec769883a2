/* Owns requesting and downloading data exports. make_exports.c makes them. */
#include "services/user/exports.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "auth/signed_link.h"
#include "base/spool.h"
#include "mail/mail.h"
#include "services/user/audit.h"
#include "services/user/store.h"
#include "services/user/store_exports.h"
#include "services/user/user.h"

#define EXPORT_LINK "export-link" /* the purpose of the signatures */

static int64_t keep_days;

void exports_start(const struct settings *settings)
{
        keep_days = settings->export_days;
}

int64_t exports_days(void)
{
        return keep_days;
}

char *export_link(struct arena *arena, const char *id, int64_t expires_s)
{
        char signature[LINK_SIGNATURE_SIZE];

        link_sign(EXPORT_LINK, id, expires_s, signature);
        return arena_printf(arena, "%s?expires=%" PRId64 "&signature=%s",
                            mail_page(arena, arena_printf(arena, "/exports/%s", id)), expires_s, signature);
}

sn_status user_handle_create_export(struct rpc_call *c, const UserExports__CreateExportRequest *in,
                                    UserExports__Export *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;

        TRY(db_begin(c, &tx));
        TRY(store_lock_running(tx));
        TRY(db_lock_one(tx, "exports", c->actor));
        TRY(store_export_of(tx, c->actor, out));
        if (out->id[0] == '\0') {
                TRY(store_begin_export(tx, c->actor));
                jobs_announce(tx, &user_make_exports);
                TRY(store_export_of(tx, c->actor, out));
                TRY(AUDIT(tx, .action = "user.export_asked", .subject_id = c->actor));
        } else if (out->expires_at != NULL) {
                out->url = export_link(c->arena, out->id, out->expires_at->seconds);
        }
        return db_commit(c, NULL, &tx);
}

sn_status user_handle_get_export(struct rpc_call *c, const UserExports__GetExportRequest *in, UserExports__Export *out)
{
        TRY(DB_READ(c, tx, store_export_of(tx, c->actor, out)));
        return strcmp(out->id, in->id) == 0 ? SN_OK
                                            : rpc_fail(c, SN_NOT_FOUND, "id", "you have no archive with this ID");
}

sn_status user_handle_delete_export(struct rpc_call *c, const UserExports__DeleteExportRequest *in,
                                    Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_drop_export(tx, c->actor, in->id));
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, bytes, len);

                if (n < 0 && errno != EINTR) {
                        return false;
                }
                bytes += n > 0 ? n : 0;
                len -= n > 0 ? (size_t)n : 0;
        }
        return true;
}

/* Only one part is in memory at a time: each has its own call, and so its own arena. */
static sn_status copy_part(struct rpc_call *c, const char *id, int64_t position, int fd)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *part = rpc_call_new_background(c->service, rpc_call_left_ms(c));
        const uint8_t *data = NULL;
        size_t len = 0;
        sn_status status = DB_READ(part, tx, store_export_part(tx, id, position, &data, &len));

        if (status != SN_OK) {
                return rpc_fail(c, status, NULL, "%s", part->problem.detail);
        }
        return write_all(fd, data, len)
                   ? SN_OK
                   : rpc_fail(c, SN_UNAVAILABLE, NULL, "cannot write the archive to disk: %s", strerror(errno));
}

static sn_status copy_parts(struct rpc_call *c, const char *id, int64_t n, int fd)
{
        for (int64_t i = 0; i < n; i++) {
                TRY(copy_part(c, id, i, fd));
        }
        return SN_OK;
}

static sn_status find_export(struct rpc_call *c, const UserExports__DownloadExportRequest *in, int64_t *parts,
                             const char **username)
{
        if (link_holds(EXPORT_LINK, in->id, in->expires, in->signature, c->now_ms)) {
                TRY(DB_READ(c, tx, store_export_parts(tx, in->id, parts, username)));
        }
        return *parts > 0 ? SN_OK
                          : rpc_fail(c, SN_NOT_FOUND, NULL, "this link has expired, or its archive was deleted");
}

sn_status user_handle_download_export(struct rpc_call *c, const UserExports__DownloadExportRequest *in,
                                      File__Chunk *out)
{
        const char *username = "";
        int64_t parts = 0;

        TRY(find_export(c, in, &parts, &username));
        int fd = open(spool_folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "cannot write the archive to disk: %s", strerror(errno));
        }
        sn_status status = copy_parts(c, in->id, parts, fd);
        if (status != SN_OK) {
                (void)close(fd);
                return status;
        }
        out->etag = in->id;
        out->mime_type = "application/json";
        out->file_name = arena_printf(c->arena, "%s.json", username);
        out->cache_control = "private, no-store";
        return rpc_answer_file(c, fd);
}
