/* Owns reading and writing the child's descriptors with libavformat. Nothing is opened by name. */
#include "services/media/film.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 16 };

struct cursor {
        int fd;
        int64_t at, size; /* size of the input */
};

/* --- reading --- */

static int read_some(void *opaque, uint8_t *bytes, int len)
{
        struct cursor *c = opaque;
        ssize_t n = pread(c->fd, bytes, (size_t)len, c->at);

        c->at += n > 0 ? n : 0;
        return n > 0 ? (int)n : n == 0 ? AVERROR_EOF : AVERROR(errno);
}

static int64_t move_to(void *opaque, int64_t offset, int whence)
{
        struct cursor *c = opaque;
        int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? c->at : c->size;

        if ((whence & ~AVSEEK_FORCE) == AVSEEK_SIZE) {
                return c->size;
        }
        if (offset < -base || offset > INT64_MAX - base) {
                return AVERROR(EINVAL);
        }
        c->at = base + offset;
        return c->at;
}

static AVIOContext *open_cursor(int fd, int64_t size, int (*write_some)(void *, uint8_t *, int))
{
        struct cursor *c = av.av_malloc(sizeof(*c));
        uint8_t *buffer = av.av_malloc(BUFFER_BYTES);

        if (c == NULL || buffer == NULL) {
                return NULL;
        }
        *c = (struct cursor){.fd = fd, .size = size};
        return av.avio_alloc_context(buffer, BUFFER_BYTES, write_some != NULL, c, write_some == NULL ? read_some : NULL,
                                     write_some, move_to);
}

AVIOContext *film_open_input(const struct child_file *file)
{
        return open_cursor(STDIN_FILENO, (int64_t)file->len, NULL);
}

/* --- writing --- */

static int write_some(void *opaque, uint8_t *bytes, int len)
{
        struct cursor *c = opaque;

        for (int done = 0; done < len;) {
                ssize_t n = pwrite(c->fd, bytes + done, (size_t)(len - done), c->at);
                if (n <= 0) {
                        return AVERROR(EIO);
                }
                done += (int)n;
                c->at += n;
                c->size = c->at > c->size ? c->at : c->size;
        }
        return len;
}

/* The MP4 muxer reads back its output in order to move the index to the front. */
static int reopen_output(AVFormatContext *out, AVIOContext **io, const char *url, int flags, AVDictionary **options)
{
        const struct cursor *c = out->pb->opaque;

        (void)url;
        (void)options;
        *io = flags == AVIO_FLAG_READ ? open_cursor(c->fd, c->size, NULL) : NULL;
        return *io != NULL ? 0 : AVERROR(EACCES);
}

/* Everything is freed when the process exits. */
static int close_nothing(AVFormatContext *out, AVIOContext *io)
{
        (void)out;
        (void)io;
        return 0;
}

AVFormatContext *film_open_output(const char *format, enum decode_output which)
{
        AVFormatContext *out = NULL;

        if (av.avformat_alloc_output_context2(&out, NULL, format, NULL) < 0) {
                return NULL;
        }
        out->pb = open_cursor(DECODE_FIRST_FD + (int)which, 0, write_some);
        out->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_CUSTOM_IO;
        out->io_open = reopen_output;
        out->io_close2 = close_nothing;
        return out->pb != NULL ? out : NULL;
}

bool film_begin(AVFormatContext *out)
{
        AVDictionary *options = NULL;

        /* Each muxer uses the options that it knows. */
        return av.av_dict_set(&options, "movflags", "+faststart", 0) >= 0 &&
               av.av_dict_set(&options, "id3v2_version", "0", 0) >= 0 && av.avformat_write_header(out, &options) >= 0;
}

bool film_finish(AVFormatContext *out)
{
        if (av.av_write_trailer(out) < 0) {
                return false;
        }
        av.avio_flush(out->pb);
        return out->pb->error >= 0;
}
