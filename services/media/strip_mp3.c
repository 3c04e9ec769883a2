/* Owns stripping MP3 (ISO 11172-3): frames with a header each, surrounded by tags of various kinds. */
#include "services/media/strip.h"

#include <string.h>

enum { HEADER_BYTES = 4, ID3_BYTES = 10 };
/* The bits that all frames of a file share: sync, version, layer and sample rate. */
#define SAME_MASK UINT32_C(0xfffe0c00)

static uint32_t header_at(const struct strip *s, size_t at)
{
        const uint8_t *p = s->in + at;

        return at + HEADER_BYTES <= s->len ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
                                           : 0;
}

/* The length of the frame with this header; 0 if it is not layer III. */
static size_t frame_bytes(uint32_t header)
{
        static const uint16_t kbits[2][16] = {
            {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
            {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
        };
        static const uint32_t rates[4] = {44100, 48000, 32000, 0};
        uint32_t version = header >> 19 & 3, layer = header >> 17 & 3, bits = header >> 12 & 15,
                 rate = header >> 10 & 3;

        if (header >> 21 != 0x7ff || version == 1 || layer != 1 || rates[rate] == 0) {
                return 0;
        }
        bool is_first = version == 3; /* MPEG 1; others have half the rate and half the samples per frame */
        uint32_t hertz = is_first ? rates[rate] : version == 2 ? rates[rate] / 2 : rates[rate] / 4;
        size_t bytes = (is_first ? 144000U : 72000U) * kbits[is_first][bits] / hertz;
        return bytes != 0 ? bytes + (header >> 9 & 1) : 0;
}

/* The end of the ID3 tag that begins at `at`. */
static size_t behind_id3(const struct strip *s, size_t at)
{
        const uint8_t *p = s->in + at;

        if (s->len - at < ID3_BYTES || memcmp(p, "ID3", 3) != 0) {
                return at;
        }
        size_t size =
            (size_t)(p[6] & 127) << 21 | (size_t)(p[7] & 127) << 14 | (size_t)(p[8] & 127) << 7 | (p[9] & 127);
        size += ID3_BYTES + ((p[5] & 0x10) != 0 ? (size_t)ID3_BYTES : 0); /* a footer */
        return size > s->len - at ? s->len : at + size;
}

/* The length of a whole frame that is followed by another one of its kind, a known tag, or the end of the file. */
static size_t frame_at(const struct strip *s, size_t at, uint32_t same)
{
        uint32_t header = header_at(s, at);
        size_t bytes = frame_bytes(header), next = at + bytes;

        if (bytes == 0 || bytes > s->len - at || (same != 0 && (header & SAME_MASK) != same)) {
                return 0;
        }
        bool ends = next == s->len || (s->len - next >= 3 && memcmp(s->in + next, "TAG", 3) == 0) ||
                    (s->len - next >= 8 && memcmp(s->in + next, "APETAGEX", 8) == 0) || behind_id3(s, next) != next;
        uint32_t following = header_at(s, next);
        return ends || same != 0 || (frame_bytes(following) != 0 && ((following ^ header) & SAME_MASK) == 0) ? bytes
                                                                                                             : 0;
}

bool strip_mp3(const struct strip *s)
{
        uint32_t same = 0;

        for (size_t at = 0; at < s->len;) {
                size_t next = behind_id3(s, at), bytes = frame_at(s, at, same);

                if (next != at) {
                        at = next;
                } else if (bytes == 0) {
                        at++;
                } else {
                        same = header_at(s, at) & SAME_MASK;
                        if (!s->write(s->context, s->in + at, bytes)) {
                                return false;
                        }
                        at += bytes;
                }
        }
        return same != 0;
}
