/* Owns processing a picture in the sandboxed child: checking, stripping, scaling, BlurHash. Loads libvips at run time,
 * through the table of functions below. */
#include "services/media/child.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <vips/vips.h>
#pragma GCC diagnostic pop
#include "base/clock.h"
#include "services/media/av.h"
#include "services/media/blurhash.h"
#include "services/media/phash.h"
#include "services/media/sandbox.h"
#include "services/media/strip.h"

enum { SIDE_MAX = 20000, FRAMES_MAX = 1000, SUMMARY_SIDE = 32, JPEG_QUALITY = 92, WEBP_QUALITY = 80 };
/* With this effort encoding is as fast as WebP, and smaller at the same quality. */
enum { AVIF_QUALITY = 60, AVIF_EFFORT = 1, AVIF_UNTIL_US = 5000000 /* no encoding starts after this */ };
#define PIXELS_MAX INT64_C(100000000)
/* The outputs for a small input may be larger than the input. */
#define PICTURE_BYTES (INT64_C(32) << 20)
#define FILM_BYTES    (INT64_C(1) << 30)

#define FUNCTIONS(F)                                                                                                   \
        F(vips_init)                                                                                                   \
        F(vips_image_new_from_buffer)                                                                                  \
        F(vips_image_new_from_memory)                                                                                  \
        F(vips_rot)                                                                                                    \
        F(vips_image_get_width)                                                                                        \
        F(vips_image_get_height)                                                                                       \
        F(vips_image_get_int)                                                                                          \
        F(vips_image_get_orientation)                                                                                  \
        F(vips_image_get_typeof)                                                                                       \
        F(vips_image_remove)                                                                                           \
        F(vips_copy)                                                                                                   \
        F(vips_image_copy_memory)                                                                                      \
        F(vips_image_hasalpha)                                                                                         \
        F(vips_image_write_to_memory)                                                                                  \
        F(vips_thumbnail_buffer)                                                                                       \
        F(vips_thumbnail_image)                                                                                        \
        F(vips_autorot)                                                                                                \
        F(vips_crop)                                                                                                   \
        F(vips_flatten)                                                                                                \
        F(vips_colourspace)                                                                                            \
        F(vips_heifsave_buffer)                                                                                        \
        F(vips_black)                                                                                                  \
        F(vips_webpsave_buffer)                                                                                        \
        F(vips_jpegsave_buffer)

static struct {
#define DECLARE(name) __typeof__(&name) name;
        FUNCTIONS(DECLARE)
#undef DECLARE
} v;

static bool load_vips(void)
{
        void *library = dlopen("libvips.so.42", RTLD_NOW | RTLD_LOCAL);
        bool ok = library != NULL;
#define LOAD(name) ok = ok && (*(void **)&v.name = dlsym(library, #name)) != NULL;
        FUNCTIONS(LOAD)
#undef LOAD
        return ok && v.vips_init(DECODE_COMMAND) == 0;
}

/* --- reporting --- */

int child_fail(const char *reason)
{
        printf("reason %s\n", reason);
        (void)fflush(stdout);
        return 0;
}

/* --- the original --- */

bool child_write(void *fd, const void *bytes, size_t len)
{
        const char *at = bytes;

        while (len > 0) {
                ssize_t n = write(*(int *)fd, at, len);
                if (n <= 0) {
                        return false;
                }
                at += n;
                len -= (size_t)n;
        }
        return true;
}

struct picture {
        const char *mime_type;
        const uint8_t *bytes;
        size_t len;
        VipsImage *image;
        int width, height; /* after rotation */
};

static const struct {
        const char *mime_type;
        bool (*strip)(const struct strip *s);
} strippers[] = {
    {"image/jpeg", strip_jpeg}, {"image/png", strip_png},   {"image/webp", strip_webp}, {"image/gif", strip_gif},
    {"image/avif", strip_heif}, {"image/heic", strip_heif}, {"image/heif", strip_heif},
};

static bool strip_to(int fd, const char *mime_type, const void *bytes, size_t len)
{
        struct strip s = {.in = bytes, .len = len, .write = child_write, .context = &fd};

        for (size_t i = 0; i < sizeof(strippers) / sizeof(strippers[0]); i++) {
                if (strcmp(mime_type, strippers[i].mime_type) == 0) {
                        return strippers[i].strip(&s);
                }
        }
        return false;
}

/* The orientation is stored in EXIF, which is removed, so the pixels are rotated instead. The output of libvips is
 * stripped like any other file. */
static bool turn_upright(const struct picture *p, int fd)
{
        bool is_jpeg = strcmp(p->mime_type, "image/jpeg") == 0;
        VipsImage *upright = NULL;
        void *bytes = NULL;
        size_t len = 0;

        if (v.vips_autorot(p->image, &upright, NULL) != 0) {
                return false;
        }
        int failed = is_jpeg ? v.vips_jpegsave_buffer(upright, &bytes, &len, "Q", JPEG_QUALITY, NULL)
                             : v.vips_webpsave_buffer(upright, &bytes, &len, "lossless", TRUE, NULL);
        return failed == 0 && strip_to(fd, p->mime_type, bytes, len);
}

static bool is_turned(const struct picture *p)
{
        bool may = strcmp(p->mime_type, "image/jpeg") == 0 || strcmp(p->mime_type, "image/webp") == 0;
        return may && v.vips_image_get_orientation(p->image) > 1;
}

/* --- variants --- */

static void say_file(VipsImage *image, enum decode_output which)
{
        printf("file %d %d %d\n", (int)which, v.vips_image_get_width(image), v.vips_image_get_height(image));
}

static bool save_webp(VipsImage *image, enum decode_output which)
{
        void *bytes = NULL;
        size_t len = 0;

        if (v.vips_webpsave_buffer(image, &bytes, &len, "Q", WEBP_QUALITY, NULL) != 0 ||
            !strip_to(DECODE_FIRST_FD + (int)which, "image/webp", bytes, len)) {
                return false;
        }
        say_file(image, which);
        return true;
}

static bool encode_avif(VipsImage *image, void **bytes, size_t *len)
{
        return v.vips_heifsave_buffer(image, bytes, len, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "Q",
                                      AVIF_QUALITY, "effort", AVIF_EFFORT, "bitdepth", 8, NULL) == 0;
}

/* Variants that cannot be encoded are silently left out. */
static void save_avif(VipsImage *image, enum decode_output which)
{
        void *bytes = NULL;
        size_t len = 0;

        if (encode_avif(image, &bytes, &len) && strip_to(DECODE_FIRST_FD + (int)which, "image/avif", bytes, len)) {
                say_file(image, which);
        }
}

/* Removes the profile of an image that was converted to sRGB. */
static VipsImage *without_profile(VipsImage *image)
{
        VipsImage *copy = NULL;

        if (image == NULL || v.vips_copy(image, &copy, NULL) != 0) {
                return NULL;
        }
        (void)v.vips_image_remove(copy, "icc-profile-data");
        return copy;
}

/* Decodes at the largest size needed; the other variants are made from the result. Converts colours to sRGB. */
static VipsImage *fit(const struct picture *p, int side)
{
        void *bytes = (void *)(uintptr_t)p->bytes;
        bool profiled = v.vips_image_get_typeof(p->image, "icc-profile-data") != 0;
        VipsImage *image = NULL;
        int failed = profiled
                         ? v.vips_thumbnail_buffer(bytes, p->len, &image, side, "height", side, "size", VIPS_SIZE_DOWN,
                                                   "fail_on", VIPS_FAIL_ON_ERROR, "export_profile", "srgb", NULL)
                         : v.vips_thumbnail_buffer(bytes, p->len, &image, side, "height", side, "size", VIPS_SIZE_DOWN,
                                                   "fail_on", VIPS_FAIL_ON_ERROR, NULL);

        return failed != 0 ? NULL : without_profile(v.vips_image_copy_memory(image));
}

static VipsImage *fit_again(VipsImage *from, int side)
{
        VipsImage *image = NULL;

        return v.vips_thumbnail_image(from, &image, side, "height", side, "size", VIPS_SIZE_DOWN, NULL) == 0 ? image
                                                                                                             : NULL;
}

/* The offset of a square within length, centred on the focus as far as the edges allow. */
static int square_at(int length, int side, double focus)
{
        int at = (int)((focus + 1) / 2 * length - side / 2.0);
        return at < 0 ? 0 : at > length - side ? length - side : at;
}

static VipsImage *square(VipsImage *from, int side, double focus_x, double focus_y)
{
        VipsImage *cut = NULL, *image = NULL;
        int width = v.vips_image_get_width(from), height = v.vips_image_get_height(from);
        int edge = width < height ? width : height;

        if (v.vips_crop(from, &cut, square_at(width, edge, focus_x), square_at(height, edge, -focus_y), edge, edge,
                        NULL) != 0) {
                return NULL;
        }
        return v.vips_thumbnail_image(cut, &image, side, "size", VIPS_SIZE_DOWN, NULL) == 0 ? image : NULL;
}

struct variants {
        VipsImage *large, *medium, *small, *thumb;
};

static bool make_variants(VipsImage *large, double focus_x, double focus_y, struct variants *out)
{
        *out = (struct variants){large, fit_again(large, 800), fit_again(large, 400),
                                 square(large, 160, focus_x, focus_y)};
        return out->medium != NULL && out->small != NULL && out->thumb != NULL && save_webp(large, DECODE_LARGE) &&
               save_webp(out->medium, DECODE_MEDIUM) && save_webp(out->small, DECODE_SMALL) &&
               save_webp(out->thumb, DECODE_THUMB);
}

/* Stops in time: the parent has a deadline, and a crafted file could exceed it, which would lose the variants that are
 * done. */
static void make_avifs(const struct variants *from, int64_t begun_us)
{
        const struct {
                VipsImage *image;
                enum decode_output which;
        } each[] = {{from->thumb, DECODE_THUMB_AVIF},
                    {from->small, DECODE_SMALL_AVIF},
                    {from->medium, DECODE_MEDIUM_AVIF},
                    {from->large, DECODE_LARGE_AVIF}};

        for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
                if (clock_monotonic_us() - begun_us < AVIF_UNTIL_US) {
                        save_avif(each[i].image, each[i].which);
                }
        }
}

/* --- hashes --- */

static bool sum_up(VipsImage *large)
{
        VipsImage *tiny = fit_again(large, SUMMARY_SIDE), *flat = NULL;
        char hash[BLURHASH_SIZE], color[8], looks[PHASH_SIZE];
        size_t len = 0;

        if (tiny == NULL || v.vips_colourspace(tiny, &tiny, VIPS_INTERPRETATION_sRGB, NULL) != 0 ||
            (v.vips_image_hasalpha(tiny) && v.vips_flatten(tiny, &flat, NULL) != 0)) {
                return false;
        }
        tiny = flat != NULL ? flat : tiny;
        int width = v.vips_image_get_width(tiny), height = v.vips_image_get_height(tiny);
        const uint8_t *rgb = v.vips_image_write_to_memory(tiny, &len);
        if (rgb == NULL || len != (size_t)3 * (size_t)width * (size_t)height) {
                return false;
        }
        blurhash_of(rgb, width, height, hash);
        dominant_color_of(rgb, (size_t)width * (size_t)height, color);
        phash_of(rgb, width, height, looks);
        printf("blurhash %s\ncolor %s\nphash %s\n", hash, color, looks);
        return true;
}

bool child_save_poster(const struct child_still *still, enum decode_output which)
{
        size_t len = (size_t)3 * (size_t)still->width * (size_t)still->height;
        VipsImage *image =
                      v.vips_image_new_from_memory(still->rgb, len, still->width, still->height, 3, VIPS_FORMAT_UCHAR),
                  *srgb = NULL, *upright = NULL;

        if (image == NULL || v.vips_copy(image, &srgb, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) != 0 ||
            v.vips_rot(srgb, &upright, (VipsAngle)still->quarters, NULL) != 0) {
                return false;
        }
        upright = v.vips_image_copy_memory(upright);
        return upright != NULL && save_webp(upright, which) && sum_up(upright);
}

/* --- the whole process --- */

/* vips_image_get_n_pages returns 1 if there are 10,000 or more. */
static int frames_of(VipsImage *image)
{
        int n = 1;

        return v.vips_image_get_typeof(image, VIPS_META_N_PAGES) == 0 ||
                       v.vips_image_get_int(image, VIPS_META_N_PAGES, &n) != 0
                   ? 1
                   : n;
}

static const char *check_size(struct picture *p)
{
        int64_t width = v.vips_image_get_width(p->image), height = v.vips_image_get_height(p->image);
        bool sideways = v.vips_image_get_orientation(p->image) >= 5;

        if (width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX) {
                return "it has too many pixels";
        }
        if (frames_of(p->image) > FRAMES_MAX) {
                return "it has too many frames";
        }
        p->width = (int)(sideways ? height : width);
        p->height = (int)(sideways ? width : height);
        return NULL;
}

static int process_picture(struct picture *p, double focus_x, double focus_y, bool avif)
{
        int64_t begun_us = clock_monotonic_us();
        struct variants made;

        p->image = v.vips_image_new_from_buffer(p->bytes, p->len, "", NULL);
        if (p->image == NULL) {
                return child_fail("it is not a readable picture");
        }
        const char *refusal = check_size(p);
        if (refusal != NULL) {
                return child_fail(refusal);
        }
        printf("size %d %d\n", p->width, p->height);
        if (!(is_turned(p) ? turn_upright(p, DECODE_FIRST_FD)
                           : strip_to(DECODE_FIRST_FD, p->mime_type, p->bytes, p->len))) {
                return child_fail("it is truncated or damaged");
        }
        VipsImage *large = fit(p, 1600);
        if (large == NULL || !make_variants(large, focus_x, focus_y, &made) || !sum_up(large)) {
                return child_fail("its pixels cannot be decoded");
        }
        if (avif) {
                make_avifs(&made, begun_us);
        }
        printf("done\n");
        return fflush(stdout);
}

static bool is_film(const char *mime_type)
{
        return strncmp(mime_type, "video/", 6) == 0 || strncmp(mime_type, "audio/", 6) == 0;
}

static int number_of(const char *text)
{
        return (int)strtol(text, NULL, 10);
}

/* Only encoding something shows whether libheif has an encoder. */
static bool can_avif(void)
{
        VipsImage *black = NULL;
        void *bytes = NULL;
        size_t len = 0;

        return v.vips_black(&black, 16, 16, "bands", 3, NULL) == 0 && encode_avif(black, &bytes, &len);
}

/* Reports what this machine can process. */
static int say_abilities(void)
{
        if (load_vips()) {
                printf("pictures\n%s%s", can_avif() ? "avif\n" : "", av_load() ? "films\n" : "");
        }
        return fflush(stdout);
}

/* Loads everything and closes the sandbox, after which nothing can be opened. */
static int run_sandboxed(char **argv, const struct decode_limits *limits, size_t len)
{
        if (!load_vips() || (is_film(argv[1]) && !av_load()) || !sandbox_close()) {
                return 2;
        }
        const uint8_t *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
        if (bytes == MAP_FAILED) {
                return 2;
        }
        if (is_film(argv[1])) {
                return film_process(&(struct child_file){argv[1], bytes, len}, limits);
        }
        struct picture p = {.mime_type = argv[1], .bytes = bytes, .len = len};
        return process_picture(&p, number_of(argv[2]) / 1e6, number_of(argv[3]) / 1e6, limits->avif);
}

int decode_main(int argc, char **argv)
{
        struct stat file;

        if (argc == 1) {
                return say_abilities();
        }
        if (argc != DECODE_ARGUMENTS || fstat(STDIN_FILENO, &file) != 0) {
                return 2;
        }
        const struct decode_limits limits = {.cpu_s = number_of(argv[4]),
                                             .video_s = number_of(argv[5]),
                                             .audio_s = number_of(argv[6]),
                                             .side = number_of(argv[7]),
                                             .video_side = number_of(argv[8]),
                                             .decoders = argv[9],
                                             .avif = number_of(argv[10]) != 0};
        int64_t made_bytes = is_film(argv[1]) ? FILM_BYTES : PICTURE_BYTES;
        if (!sandbox_limit(file.st_size * 2 + made_bytes, limits.cpu_s)) {
                return 2;
        }
        _exit(run_sandboxed(argv, &limits, (size_t)file.st_size)); /* skips the libraries' cleanup */
}
