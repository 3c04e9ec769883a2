/* Owns stripping JPEG (ITU T.81, annex B), PNG (ISO 15948), WebP (RFC 9649) and GIF89a. */
#include "services/media/strip.h"

#include <string.h>
#include <zlib.h>

static bool put(const struct strip *s, size_t from, size_t len)
{
        return s->write(s->context, s->in + from, len);
}

static bool has(const struct strip *s, size_t at, size_t len)
{
        return at <= s->len && len <= s->len - at;
}

static bool is(const struct strip *s, size_t at, const char *text, size_t len)
{
        return has(s, at, len) && memcmp(s->in + at, text, len) == 0;
}

static uint32_t big32(const uint8_t *p)
{
        return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t little32(const uint8_t *p)
{
        return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* --- JPEG --- */

enum { SOI = 0xd8, EOI = 0xd9, SOS = 0xda, APP0 = 0xe0, APP2 = 0xe2, APP14 = 0xee, APP15 = 0xef, COM = 0xfe };

/* APP0 is dropped for its thumbnail, at the cost of JFIF's density. Adobe's APP14 tells how colours are coded, and APP2
 * may be a colour profile. */
static bool keeps_segment(const struct strip *s, uint8_t marker, size_t at)
{
        if (marker == APP2) {
                return is(s, at + 4, "ICC_PROFILE", 12);
        }
        return marker != COM && (marker < APP0 || marker > APP15 || marker == APP14);
}

/* From the end of SOS to the next marker that is not a restart marker. */
static size_t end_of_scan(const struct strip *s, size_t at)
{
        while (has(s, at, 2) &&
               (s->in[at] != 0xff || s->in[at + 1] == 0 || (s->in[at + 1] >= 0xd0 && s->in[at + 1] <= 0xd7))) {
                at++;
        }
        return at;
}

static bool copy_segment(const struct strip *s, size_t *at)
{
        uint8_t marker = s->in[*at + 1];
        if (!has(s, *at, 4)) {
                return false;
        }
        size_t len = 2 + ((size_t)s->in[*at + 2] << 8 | s->in[*at + 3]);
        if (len < 4 || !has(s, *at, len)) {
                return false;
        }
        size_t end = marker == SOS ? end_of_scan(s, *at + len) : *at + len;
        bool ok = !keeps_segment(s, marker, *at) || put(s, *at, end - *at);
        *at = end;
        return ok;
}

bool strip_jpeg(const struct strip *s)
{
        size_t at = 2;

        if (!is(s, 0, "\xff\xd8", 2) || !put(s, 0, 2)) {
                return false;
        }
        while (has(s, at, 2) && s->in[at] == 0xff) {
                if (s->in[at + 1] == EOI) {
                        return put(s, at, 2);
                }
                if (s->in[at + 1] == 0xff) {
                        at++; /* fill byte */
                } else if (!copy_segment(s, &at)) {
                        return false;
                }
        }
        return false;
}

/* --- PNG --- */

/* Chunks that affect pixels or how they are shown, including APNG. */
static bool keeps_chunk(const uint8_t *type)
{
        static const char kept[] = "IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP bKGD pHYs acTL fcTL fdAT";

        for (size_t i = 0; i + 4 < sizeof(kept); i += 5) {
                if (memcmp(kept + i, type, 4) == 0) {
                        return true;
                }
        }
        return false;
}

static bool is_intact(const struct strip *s, size_t at, size_t len)
{
        return crc32(0, s->in + at + 4, (uInt)(len - 8)) == big32(s->in + at + len - 4);
}

bool strip_png(const struct strip *s)
{
        size_t at = 8;

        if (!is(s, 0, "\x89PNG\r\n\x1a\n", 8) || !put(s, 0, 8)) {
                return false;
        }
        while (has(s, at, 12)) {
                size_t len = 12 + (size_t)big32(s->in + at);
                bool end = is(s, at + 4, "IEND", 4);

                if (!has(s, at, len) || !is_intact(s, at, len) || (keeps_chunk(s->in + at + 4) && !put(s, at, len))) {
                        return false;
                }
                if (end) {
                        return true;
                }
                at += len;
        }
        return false;
}

/* --- WebP --- */

enum { VP8X_EXIF = 8, VP8X_XMP = 4, FRAME_HEAD_BYTES = 24 };

static bool is_webp_picture(const struct strip *s, size_t at)
{
        static const char *const kept[] = {"VP8X", "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF", "ICCP"};

        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
                if (is(s, at, kept[i], 4)) {
                        return true;
                }
        }
        return false;
}

/* The length of a chunk including padding; 0 if it is truncated. */
static size_t webp_chunk(const struct strip *s, size_t at, size_t end)
{
        if (!has(s, at, 8)) {
                return 0;
        }
        size_t len = 8 + (size_t)little32(s->in + at + 4);
        len += len & 1;
        return len <= end - at ? len : 0;
}

/* A frame of an animation has its own chunks, after its position and duration. Returns its length without chunks that
 * are not picture data; 0 if it is truncated. */
static size_t frame_length(const struct strip *s, size_t at, size_t len)
{
        size_t kept = FRAME_HEAD_BYTES;

        for (size_t inner = at + FRAME_HEAD_BYTES; inner < at + len;) {
                size_t part = webp_chunk(s, inner, at + len);
                if (part == 0) {
                        return 0;
                }
                kept += is_webp_picture(s, inner) ? part : 0;
                inner += part;
        }
        return len >= FRAME_HEAD_BYTES ? kept : 0;
}

/* How many bytes of a chunk are kept; 0 if it is truncated. */
static size_t kept_of_webp(const struct strip *s, size_t at, size_t len)
{
        return is(s, at, "ANMF", 4) ? frame_length(s, at, len) : len;
}

static bool put_frame(const struct strip *s, size_t at, size_t len)
{
        uint32_t kept = (uint32_t)frame_length(s, at, len) - 8;
        uint8_t head[8] = {
            'A', 'N', 'M', 'F', (uint8_t)kept, (uint8_t)(kept >> 8), (uint8_t)(kept >> 16), (uint8_t)(kept >> 24)};
        bool ok = s->write(s->context, head, sizeof(head)) && put(s, at + 8, FRAME_HEAD_BYTES - 8);

        for (size_t inner = at + FRAME_HEAD_BYTES; ok && inner < at + len; inner += webp_chunk(s, inner, at + len)) {
                ok = !is_webp_picture(s, inner) || put(s, inner, webp_chunk(s, inner, at + len));
        }
        return ok;
}

static bool put_webp_chunk(const struct strip *s, size_t at, size_t len)
{
        uint8_t head[9];

        if (is(s, at, "ANMF", 4)) {
                return put_frame(s, at, len);
        }
        if (!is(s, at, "VP8X", 4) || len < 9) {
                return put(s, at, len);
        }
        memcpy(head, s->in + at, sizeof(head));
        head[8] &= (uint8_t) ~(VP8X_EXIF | VP8X_XMP);
        return s->write(s->context, head, sizeof(head)) && put(s, at + 9, len - 9);
}

static bool webp_length(const struct strip *s, size_t end, uint32_t *kept)
{
        *kept = 4;
        for (size_t at = 12; at < end;) {
                size_t len = webp_chunk(s, at, end), stays = len > 0 ? kept_of_webp(s, at, len) : 0;
                if (stays == 0) {
                        return false;
                }
                *kept += is_webp_picture(s, at) ? (uint32_t)stays : 0;
                at += len;
        }
        return true;
}

bool strip_webp(const struct strip *s)
{
        uint32_t kept = 0;

        if (!is(s, 0, "RIFF", 4) || !is(s, 8, "WEBP", 4)) {
                return false;
        }
        size_t end = 8 + (size_t)little32(s->in + 4);
        if (end < 12 || end > s->len || !webp_length(s, end, &kept)) {
                return false;
        }
        uint8_t head[12] = {
            'R', 'I', 'F', 'F', (uint8_t)kept, (uint8_t)(kept >> 8), (uint8_t)(kept >> 16), (uint8_t)(kept >> 24),
            'W', 'E', 'B', 'P'};
        bool ok = s->write(s->context, head, sizeof(head));
        for (size_t at = 12; ok && at < end; at += webp_chunk(s, at, end)) {
                ok = !is_webp_picture(s, at) || put_webp_chunk(s, at, webp_chunk(s, at, end));
        }
        return ok;
}

/* --- GIF --- */

enum { GIF_IMAGE = 0x2c, GIF_EXTENSION = 0x21, GIF_END = 0x3b, GIF_CONTROL = 0xf9, GIF_APPLICATION = 0xff };

static size_t colours(uint8_t flags)
{
        return (flags & 0x80) != 0 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

/* The end of the sub-blocks that begin at `at`; 0 if they are truncated. */
static size_t end_of_blocks(const struct strip *s, size_t at)
{
        while (has(s, at, 1) && s->in[at] != 0) {
                at += 1 + (size_t)s->in[at];
        }
        return has(s, at, 1) ? at + 1 : 0;
}

/* The end of the block at `at`; 0 if it is not a block. *keep: whether it has pixels, their timing, or the animation's
 * repetitions. */
static size_t gif_block(const struct strip *s, size_t at, bool *keep)
{
        *keep = true;
        if (s->in[at] == GIF_IMAGE) {
                return has(s, at, 11) ? end_of_blocks(s, at + 10 + colours(s->in[at + 9]) + 1) : 0;
        }
        if (s->in[at] != GIF_EXTENSION || !has(s, at, 3)) {
                return 0;
        }
        *keep = s->in[at + 1] == GIF_CONTROL || (s->in[at + 1] == GIF_APPLICATION && is(s, at + 3, "NETSCAPE2.0", 11));
        return end_of_blocks(s, at + 2);
}

bool strip_gif(const struct strip *s)
{
        bool keep = false;

        if (!has(s, 0, 13) || (!is(s, 0, "GIF89a", 6) && !is(s, 0, "GIF87a", 6))) {
                return false;
        }
        size_t at = 13 + colours(s->in[10]);
        if (!has(s, at, 0) || !put(s, 0, at)) {
                return false;
        }
        while (has(s, at, 1)) {
                if (s->in[at] == GIF_END) {
                        return put(s, at, 1);
                }
                size_t end = gif_block(s, at, &keep);
                if (end == 0 || (keep && !put(s, at, end - at))) {
                        return false;
                }
                at = end;
        }
        return false;
}
