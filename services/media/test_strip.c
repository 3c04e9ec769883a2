/* What is removed from pictures, with containers that are spelled out here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/media/blurhash.h"
#include "services/media/strip.h"

struct out {
        uint8_t bytes[4096];
        size_t len;
};

static bool take(void *context, const void *bytes, size_t len)
{
        struct out *out = context;
        assert_true(out->len + len <= sizeof(out->bytes));
        memcpy(out->bytes + out->len, bytes, len);
        out->len += len;
        return true;
}

typedef bool strip_kind(const struct strip *s);

#define TEXT(s) (s), sizeof(s) - 1

static void gives(strip_kind *kind, const char *in, size_t len, const char *expected, size_t expected_len)
{
        struct out out = {.len = 0};
        struct strip s = {(const uint8_t *)in, len, take, &out};

        assert_true(kind(&s));
        assert_int_equal(out.len, expected_len);
        assert_memory_equal(out.bytes, expected, expected_len);
        for (size_t cut = 0; cut + 1 < expected_len; cut++) { /* truncated anywhere it is not a complete picture */
                s = (struct strip){out.bytes, cut, take, &(struct out){.len = 0}};
                assert_false(kind(&s));
        }
}

#define GIVES(kind, in, expected) gives(kind, TEXT(in), TEXT(expected))

#define SCAN                                                                                                           \
        "\xff\xda\0\4xyab\xff\0c\xff\xd0"                                                                              \
        "d"

static void jpeg_loses_exif_comments_and_trailing_data(void **state)
{
        GIVES(strip_jpeg,
              "\xff\xd8\xff\xe0\0\4JF\xff\xe1\0\10Exif\0\0\xff\xfe\0\6gone\xff\xee\0\6Adob\xff\xdb\0\4qt\xff" SCAN
              "\xff\xd9<script>",
              "\xff\xd8\xff\xee\0\6Adob\xff\xdb\0\4qt" SCAN "\xff\xd9");
        GIVES(strip_jpeg, "\xff\xd8\xff\xe2\0\17ICC_PROFILE\0\1\xff\xe2\0\6MPF\0" SCAN "\xff\xd9",
              "\xff\xd8\xff\xe2\0\17ICC_PROFILE\0\1" SCAN "\xff\xd9");
}

/* Length, type, data, and the CRC-32 of type and data. */
#define IHDR_CHUNK                                                                                                     \
        "\0\0\0\2"                                                                                                     \
        "IHDR"                                                                                                         \
        "hd"                                                                                                           \
        "\x6d\xa3\x98\xd5"
#define TEXT_CHUNK                                                                                                     \
        "\0\0\0\4"                                                                                                     \
        "tEXt"                                                                                                         \
        "gone"                                                                                                         \
        "\x94\x58\x46\x11"
#define EXIF_CHUNK                                                                                                     \
        "\0\0\0\1"                                                                                                     \
        "eXIf"                                                                                                         \
        "x"                                                                                                            \
        "\x8b\x7b\xab\x0d"
#define GAMA_CHUNK                                                                                                     \
        "\0\0\0\1"                                                                                                     \
        "gAMA"                                                                                                         \
        "g"                                                                                                            \
        "\x8c\x6e\xf7\x34"
#define IDAT_CHUNK                                                                                                     \
        "\0\0\0\3"                                                                                                     \
        "IDAT"                                                                                                         \
        "dat"                                                                                                          \
        "\x9d\x9a\xc2\x9d"
#define IEND_CHUNK                                                                                                     \
        "\0\0\0\0"                                                                                                     \
        "IEND"                                                                                                         \
        ""                                                                                                             \
        "\xae\x42\x60\x82"
#define PNG "\x89PNG\r\n\x1a\n"

static void png_loses_text_times_and_exif_and_is_validated(void **state)
{
        static const char wrong[] = PNG IHDR_CHUNK "\0\0\0\3"
                                                   "IDAT"
                                                   "dat"
                                                   "CRC " IEND_CHUNK;
        struct out out = {.len = 0};

        GIVES(strip_png, PNG IHDR_CHUNK TEXT_CHUNK EXIF_CHUNK GAMA_CHUNK IDAT_CHUNK IEND_CHUNK "PK\3\4",
              PNG IHDR_CHUNK GAMA_CHUNK IDAT_CHUNK IEND_CHUNK);
        assert_false(strip_png(&(struct strip){(const uint8_t *)wrong, sizeof(wrong) - 1, take, &out}));
}

static void webp_loses_exif_and_xmp_and_their_flags(void **state)
{
        GIVES(strip_webp,
              "RIFF\x30\0\0\0WEBPVP8X\2\0\0\0\x1c\0"
              "VP8 \3\0\0\0abc\0"
              "EXIF\4\0\0\0gone"
              "XMP \1\0\0\0x\0",
              "RIFF\x1a\0\0\0WEBPVP8X\2\0\0\0\x10\0"
              "VP8 \3\0\0\0abc\0");
}

static void frames_of_webp_lose_chunks_that_are_not_picture_data(void **state)
{
        GIVES(strip_webp,
              "RIFF\x4e\0\0\0WEBPANIM\6\0\0\0colour"
              "ANMF\x28\0\0\0place and time..VP8L\3\0\0\0abc\0EXIF\4\0\0\0gone"
              "XMP \4\0\0\0gone",
              "RIFF\x36\0\0\0WEBPANIM\6\0\0\0colour"
              "ANMF\x1c\0\0\0place and time..VP8L\3\0\0\0abc\0");
}

static void gif_keeps_pictures_timing_and_repetition(void **state)
{
        GIVES(strip_gif,
              "GIF89a\1\0\1\0\x80\0\0rgbrgb!\xff\13NETSCAPE2.0\3\1\0\0\0!\xff\13XMP "
              "DataXMP\2ab\0!\xfe\4gone\0!\xf9\4time\0,\0\0\0\0\1\0\1\0\0\2\2xy\0;<script>",
              "GIF89a\1\0\1\0\x80\0\0rgbrgb!\xff\13NETSCAPE2.0\3\1\0\0\0!\xf9\4time\0,\0\0\0\0\1\0\1\0\0\2\2xy\0;");
}

/* A grid of one tile, with a thumbnail and EXIF. Whatever is not needed to show the picture is zeroed, and nothing
 * moves. */
static void heif_metadata_is_zeroed_in_place(void **state)
{
        GIVES(strip_heif,
              "\000\000\000\024ftypheic\000\000\000\000mif1\000\000\000\015moovPLACE\000\000\001]meta\000\000"
              "\000\000\000\000\000%hdlr\000\000\000\000\000\000\000\000pict\000\000\000\000\000\000\000\000"
              "\000\000\000\000NAME\000\000\000\000\016pitm\000\000\000\000\000\001\000\000\000@iloc\001\000"
              "\000\000\042\000\000\004\000\001\000\001\000\000\000\001\000\000\000\002\000\002\000\000\000"
              "\000\000\001\001\206\000\002\000\003\000\000\000\000\000\001\001\210\000\004\000\004\000\000"
              "\000\000\000\001\001\214\000\002\000\000\000fiinf\000\000\000\000\000\004\000\000\000\031infe"
              "\002\000\000\000\000\001\000\000gridNAME\000\000\000\000\025infe\002\000\000\000\000\002\000"
              "\000hvc1\000\000\000\000\025infe\002\000\000\000\000\003\000\000Exif\000\000\000\000\025infe"
              "\002\000\000\000\000\004\000\000hvc1\000\000\000\000(iref\000\000\000\000\000\000\000\016thmb"
              "\000\004\000\001\000\001\000\000\000\016dimg\000\001\000\001\000\002\000\000\0005iprp\000\000"
              "\000\035ipco\000\000\000\011irot\001\000\000\000\014udesTEXT\000\000\000\020ipma\000\000\000"
              "\000\000\000\000\000\000\000\000\016idatGGHIDE\000\000\000\015uuidPLACE\000\000\000\020mdatPPE"
              "XIFTT",
              "\000\000\000\024ftypheic\000\000\000\000mif1\000\000\000\015free\000\000\000\000\000\000\000"
              "\001]meta\000\000\000\000\000\000\000%hdlr\000\000\000\000\000\000\000\000pict\000\000\000\000"
              "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\016pitm\000\000\000\000\000"
              "\001\000\000\000@iloc\001\000\000\000\042\000\000\004\000\001\000\001\000\000\000\001\000\000"
              "\000\002\000\002\000\000\000\000\000\001\001\206\000\002\000\003\000\000\000\000\000\001\001"
              "\210\000\004\000\004\000\000\000\000\000\001\001\214\000\002\000\000\000fiinf\000\000\000\000"
              "\000\004\000\000\000\031infe\002\000\000\000\000\001\000\000grid\000\000\000\000\000\000\000"
              "\000\025infe\002\000\000\000\000\002\000\000hvc1\000\000\000\000\025infe\002\000\000\000\000"
              "\003\000\000free\000\000\000\000\025infe\002\000\000\000\000\004\000\000free\000\000\000\000(i"
              "ref\000\000\000\000\000\000\000\016thmb\000\004\000\001\000\001\000\000\000\016dimg\000\001"
              "\000\001\000\002\000\000\0005iprp\000\000\000\035ipco\000\000\000\011irot\001\000\000\000\014f"
              "ree\000\000\000\000\000\000\000\020ipma\000\000\000\000\000\000\000\000\000\000\000\016idatGG"
              "\000\000\000\000\000\000\000\015free\000\000\000\000\000\000\000\000\020mdatPP\000\000\000\000"
              "\000\000");
}

/* From the reference implementation in TypeScript (blurhash 2.0.5), for pixels (248 - 8x, 240 - 16y, 128). */
static void a_blurhash_matches_the_reference(void **state)
{
        uint8_t rgb[32 * 16 * 3];
        char hash[BLURHASH_SIZE], color[8];

        for (int i = 0; i < 32 * 16; i++) {
                rgb[3 * i] = (uint8_t)(248 - i % 32 * 8);
                rgb[3 * i + 1] = (uint8_t)(240 - i / 32 * 16);
                rgb[3 * i + 2] = 128;
        }
        blurhash_of(rgb, 32, 16, hash);
        assert_string_equal(hash, "L*H2TC|_$5xGubodjtkAgvfjfQfj");
        memset(rgb, 0, sizeof(rgb));
        for (int i = 0; i < 100; i++) {
                rgb[3 * i] = 250;
        }
        dominant_color_of(rgb, 150, color);
        assert_string_equal(color, "#fa0000");
}

/* MPEG 2 frames, 8 kbit/s at 24 kHz: 24 bytes each. */
#define MP3_FRAME                                                                                                      \
        "\xff\xf3\x14\xc4"                                                                                             \
        "12345678901234567890"
#define ID3_OF_5                                                                                                       \
        "ID3\4\0\0\0\0\0\5"                                                                                            \
        "\xff\xf3\x14\xc4x"

static void mp3_loses_tags_around_its_frames_and_between_them(void **state)
{
        struct out out = {.len = 0};
        static const char in[] = ID3_OF_5 MP3_FRAME MP3_FRAME ID3_OF_5 MP3_FRAME "noise" MP3_FRAME "TAGartist";
        struct strip s = {(const uint8_t *)in, sizeof(in) - 1, take, &out};

        (void)state;
        assert_true(strip_mp3(&s));
        assert_int_equal(out.len, 4 * 24);
        assert_memory_equal(out.bytes, MP3_FRAME MP3_FRAME MP3_FRAME MP3_FRAME, 4 * 24);
}

static void a_file_without_frames_is_not_an_mp3(void **state)
{
        static const char *const none[] = {"", "ID3", "\xff\xf3\x14\xc4short", ID3_OF_5 "nothing"};

        (void)state;
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
                struct out out = {.len = 0};
                struct strip s = {(const uint8_t *)none[i], strlen(none[i]), take, &out};

                assert_false(strip_mp3(&s));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(jpeg_loses_exif_comments_and_trailing_data),
            cmocka_unit_test(png_loses_text_times_and_exif_and_is_validated),
            cmocka_unit_test(webp_loses_exif_and_xmp_and_their_flags),
            cmocka_unit_test(frames_of_webp_lose_chunks_that_are_not_picture_data),
            cmocka_unit_test(gif_keeps_pictures_timing_and_repetition),
            cmocka_unit_test(heif_metadata_is_zeroed_in_place),
            cmocka_unit_test(a_blurhash_matches_the_reference),
            cmocka_unit_test(mp3_loses_tags_around_its_frames_and_between_them),
            cmocka_unit_test(a_file_without_frames_is_not_an_mp3),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
