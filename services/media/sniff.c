/* Owns the table of accepted types, and asks libmagic which of them a file is. */
#include "services/media/sniff.h"

#include <magic.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"

enum { HEAD_BYTES = 4096 };

static const struct sniffed types[] = {
    {MEDIA__KIND__KIND_IMAGE, "image/jpeg"}, {MEDIA__KIND__KIND_IMAGE, "image/png"},
    {MEDIA__KIND__KIND_IMAGE, "image/webp"}, {MEDIA__KIND__KIND_IMAGE, "image/gif"},
    {MEDIA__KIND__KIND_IMAGE, "image/avif"}, {MEDIA__KIND__KIND_IMAGE, "image/heic"},
    {MEDIA__KIND__KIND_IMAGE, "image/heif"},
};

static const char refusal[] = "this is no picture that can be taken: send JPEG, PNG, WebP, GIF, AVIF or HEIC";

/* Its tables are mapped for each file: kept, they would cost the process megabytes, and only one thread could use
 * them. */
static sn_status ask_libmagic(struct rpc_call *c, const uint8_t *head, size_t len, const char **mime_type)
{
        magic_t magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_CDF |
                                   MAGIC_NO_CHECK_ELF);
        const char *said = magic != NULL && magic_load(magic, NULL) == 0 ? magic_buffer(magic, head, len) : NULL;

        if (said == NULL) {
                log_event(LOG_LEVEL_ERROR, "libmagic does not work",
                          LOG_STR("error.message", magic != NULL ? magic_error(magic) : "out of memory"));
        }
        *mime_type = said != NULL ? arena_strdup(c->arena, said) : NULL;
        if (magic != NULL) {
                magic_close(magic);
        }
        return *mime_type != NULL ? SN_OK
                                  : rpc_fail(c, SN_INTERNAL, NULL, "the type of the file could not be determined");
}

sn_status sniff(struct rpc_call *c, int fd, const char *field, struct sniffed *out)
{
        uint8_t head[HEAD_BYTES];
        ssize_t len = pread(fd, head, sizeof(head), 0);
        const char *mime_type = NULL;

        TRY(ask_libmagic(c, head, len > 0 ? (size_t)len : 0, &mime_type));
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                if (strcmp(types[i].mime_type, mime_type) == 0) {
                        *out = types[i];
                        return SN_OK;
                }
        }
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "unsupported_media_type", field, "%s", refusal);
}
