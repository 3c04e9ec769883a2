/* Owns the compressors: zlib for gzip, libzstd for zstd. */
#include "gateway/compress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
        KEPT = 4,              /* of about 500 KiB each */
        GZIP_WINDOW_BITS = 31, /* 32 KiB window, gzip format */
        GZIP_MEMORY_LEVEL = 8,
};

static const struct {
        int gzip, zstd;
} levels[] = {[COMPRESS_FAST] = {3, 3}, [COMPRESS_SMALL] = {9, 15}};

struct compressor {
        z_stream gzip;
        bool has_gzip;
        ZSTD_CCtx *zstd;
        struct compressor *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct compressor *idle;
static int n_idle;

static _Noreturn void out_of_memory(void)
{
        fputs("sonet: out of memory while compressing a response\n", stderr);
        abort();
}

/* --- compressors --- */

static void compressor_free(struct compressor *c)
{
        if (c->has_gzip) {
                (void)deflateEnd(&c->gzip);
        }
        (void)ZSTD_freeCCtx(c->zstd);
        free(c);
}

static struct compressor *compressor_take(void)
{
        (void)pthread_mutex_lock(&lock);
        struct compressor *c = idle;

        if (c != NULL) {
                idle = c->next;
                n_idle--;
        }
        (void)pthread_mutex_unlock(&lock);
        c = c != NULL ? c : calloc(1, sizeof(*c));
        if (c == NULL) {
                out_of_memory();
        }
        return c;
}

static void compressor_give(struct compressor *c)
{
        (void)pthread_mutex_lock(&lock);
        bool keep = n_idle < KEPT;

        if (keep) {
                c->next = idle;
                idle = c;
                n_idle++;
        }
        (void)pthread_mutex_unlock(&lock);
        if (!keep) {
                compressor_free(c);
        }
}

/* --- codings --- */

static void gzip(struct compressor *c, int level, struct str in, struct buf *out)
{
        if (c->has_gzip ? deflateReset(&c->gzip) != Z_OK
                        : deflateInit2(&c->gzip, level, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY_LEVEL,
                                       Z_DEFAULT_STRATEGY) != Z_OK) {
                out_of_memory();
        }
        c->has_gzip = true;
        size_t room = deflateBound(&c->gzip, in.len);

        buf_init(out, room);
        if (!buf_reserve(out, room)) {
                out_of_memory();
        }
        c->gzip.next_in = (Bytef *)in.ptr;
        c->gzip.avail_in = (uInt)in.len;
        c->gzip.next_out = (Bytef *)out->data;
        c->gzip.avail_out = (uInt)room;
        if (deflate(&c->gzip, Z_FINISH) != Z_STREAM_END) {
                out_of_memory();
        }
        out->len = c->gzip.total_out;
        out->data[out->len] = '\0';
}

static void zstd(struct compressor *c, int level, struct str in, struct buf *out)
{
        size_t room = ZSTD_compressBound(in.len);

        c->zstd = c->zstd != NULL ? c->zstd : ZSTD_createCCtx();
        buf_init(out, room);
        if (c->zstd == NULL || !buf_reserve(out, room)) {
                out_of_memory();
        }
        out->len = ZSTD_compressCCtx(c->zstd, out->data, room, in.ptr, in.len, level);
        if (ZSTD_isError(out->len)) {
                out_of_memory();
        }
        out->data[out->len] = '\0';
}

void compress_bytes(enum coding coding, enum compress_effort effort, struct str in, struct buf *out)
{
        struct compressor *c = effort == COMPRESS_FAST ? compressor_take() : calloc(1, sizeof(*c));

        if (c == NULL) {
                out_of_memory();
        }
        if (coding == CODING_GZIP) {
                gzip(c, levels[effort].gzip, in, out);
        } else {
                zstd(c, levels[effort].zstd, in, out);
        }
        if (effort == COMPRESS_FAST) {
                compressor_give(c);
        } else {
                compressor_free(c); /* made for another level, it uses more memory */
        }
}
