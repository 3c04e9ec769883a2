/* Owns the table of accepted types, and detecting a file's type with libmagic. */
#include "services/media/sniff.h"

#include <magic.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"

enum { ID3_BYTES = 10 };

static const struct sniffed types[] = {
    {MEDIA__KIND__KIND_IMAGE, "image/jpeg"},      {MEDIA__KIND__KIND_IMAGE, "image/png"},
    {MEDIA__KIND__KIND_IMAGE, "image/webp"},      {MEDIA__KIND__KIND_IMAGE, "image/gif"},
    {MEDIA__KIND__KIND_IMAGE, "image/avif"},      {MEDIA__KIND__KIND_IMAGE, "image/heic"},
    {MEDIA__KIND__KIND_IMAGE, "image/heif"},      {MEDIA__KIND__KIND_VIDEO, "video/mp4"},
    {MEDIA__KIND__KIND_VIDEO, "video/quicktime"}, {MEDIA__KIND__KIND_VIDEO, "video/webm"},
    {MEDIA__KIND__KIND_AUDIO, "audio/mpeg"},      {MEDIA__KIND__KIND_AUDIO, "audio/ogg"},
    {MEDIA__KIND__KIND_AUDIO, "audio/x-m4a"},
};

static const char refusal[] =
    "this is nothing that can be taken: send JPEG, PNG, WebP, GIF, AVIF or HEIC; MP4, QuickTime or "
    "WebM; MP3, Ogg or M4A";
static const char no_pictures[] = "this server takes no pictures, since it could not process them";
static const char no_films[] = "this server takes no videos and sounds, since it could not process them";

/* Maps libmagic's tables for each file: keeping them would cost megabytes, and only one thread could use them. */
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

/* The length of an ID3 tag at the beginning; 0 if there is none. */
static off_t id3_bytes(const uint8_t *head, ssize_t len)
{
        return len >= ID3_BYTES && memcmp(head, "ID3", 3) == 0
                   ? ID3_BYTES + ((off_t)(head[6] & 127) << 21 | (off_t)(head[7] & 127) << 14 |
                                  (off_t)(head[8] & 127) << 7 | (head[9] & 127))
                   : 0;
}

/* Skips an ID3 tag, which may be long because of cover art, so that libmagic sees what follows it. */
static sn_status ask_about(struct rpc_call *c, int fd, const char **mime_type)
{
        uint8_t head[SNIFF_BYTES];
        ssize_t len = pread(fd, head, sizeof(head), 0);
        off_t tag = id3_bytes(head, len);

        if (tag > 0) {
                len = pread(fd, head, sizeof(head), tag);
        }
        return ask_libmagic(c, head, len > 0 ? (size_t)len : 0, mime_type);
}

static sn_status refuse_type(struct rpc_call *c, const char *field, const char *why)
{
        return rpc_fail_code(c, SN_INVALID_ARGUMENT, "unsupported_media_type", field, "%s", why);
}

static sn_status check_ability(struct rpc_call *c, const char *field, int kind)
{
        bool is_picture = kind == MEDIA__KIND__KIND_IMAGE;
        bool able = is_picture ? media_limits.takes_pictures : media_limits.takes_films;

        return able ? SN_OK : refuse_type(c, field, is_picture ? no_pictures : no_films);
}

static sn_status find_type(struct rpc_call *c, const char *field, const char *mime_type, struct sniffed *out)
{
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                if (strcmp(types[i].mime_type, mime_type) == 0) {
                        *out = types[i];
                        return check_ability(c, field, types[i].kind);
                }
        }
        return refuse_type(c, field, refusal);
}

sn_status sniff(struct rpc_call *c, int fd, const char *field, struct sniffed *out)
{
        const char *mime_type = NULL;

        TRY(ask_about(c, fd, &mime_type));
        return find_type(c, field, mime_type, out);
}

sn_status sniff_head(struct rpc_call *c, const uint8_t *head, size_t len, const char *field)
{
        const char *mime_type = "audio/mpeg";
        struct sniffed type;

        if (id3_bytes(head, (ssize_t)len) == 0) {
                TRY(ask_libmagic(c, head, len, &mime_type));
        }
        return find_type(c, field, mime_type, &type);
}
