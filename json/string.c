/* JSON strings out: runs that need no escape are found eight bytes at a time and copied whole. */
#include "json/json.h"

#include "json/out.h"

bool out_grow(struct out *o, size_t bytes)
{
        out_end(o);
        bool room = buf_reserve(o->buf, bytes), anew = o->anew;
        *o = out_begin(o->buf);
        o->anew = anew;
        return room;
}

#define ONES  0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* Nonzero if one of eight bytes is a control character, '"', '\\' or not ASCII. False positives are possible, false
 * negatives are not. */
static inline uint64_t special(uint64_t v)
{
        uint64_t quote = v ^ (ONES * '"');
        uint64_t backslash = v ^ (ONES * '\\');
        return ((v - ONES * 0x20) | (quote - ONES) | (backslash - ONES) | v) & HIGHS;
}

static inline bool is_special(unsigned char c)
{
        return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

static const char *skip_plain(const char *p, const char *end)
{
        while (end - p >= 8) {
                uint64_t v;
                memcpy(&v, p, sizeof(v));
                if (special(v) != 0) {
                        break;
                }
                p += 8;
        }
        while (p < end && !is_special((unsigned char)*p)) {
                p++;
        }
        return p;
}

static inline bool is_continuation(const char *p, const char *end)
{
        return p < end && ((unsigned char)*p & 0xC0) == 0x80;
}

/* The length of the well-formed sequence at p (whose first byte is not ASCII), or minus the number of bytes to
 * replace by one U+FFFD: the longest start of a sequence, as the Unicode Standard (3.9, Maximal Subparts)
 * recommends. */
static int sequence(const char *p, const char *end)
{
        unsigned char lead = (unsigned char)p[0];
        int len = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
        if (len == 0 || !is_continuation(p + 1, end)) {
                return -1;
        }
        unsigned char second = (unsigned char)p[1];
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
            (lead == 0xF4 && second > 0x8F)) {
                return -1; /* overlong, surrogate, or past U+10FFFF */
        }
        for (int i = 2; i < len; i++) {
                if (!is_continuation(p + i, end)) {
                        return -i;
                }
        }
        return len;
}

static void out_escape(struct out *o, unsigned char c)
{
        static const char hex[] = "0123456789abcdef";
        static const char letters[] = {
            ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
        if (letters[c] != 0) {
                out_bytes(o, (char[]){'\\', letters[c]}, 2);
        } else {
                out_bytes(o, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        }
}

/* The end of what can be copied unchanged. */
static const char *skip_valid(const char *p, const char *end)
{
        while (p < end) {
                if ((unsigned char)*p < 0x80) {
                        const char *next = skip_plain(p, end);
                        if (next == end || (unsigned char)*next < 0x80) {
                                return next;
                        }
                        p = next;
                }
                int n = sequence(p, end);
                if (n < 0) {
                        return p;
                }
                p += n;
        }
        return p;
}

void out_string(struct out *o, const char *text, size_t len)
{
        const char *end = text + len;
        out_char(o, '"');
        while (text < end) {
                const char *stop = skip_valid(text, end);
                out_bytes(o, text, (size_t)(stop - text));
                if (stop == end) {
                        break;
                }
                if ((unsigned char)*stop >= 0x80) {
                        out_bytes(o, "\xEF\xBF\xBD", 3);
                        text = stop - sequence(stop, end);
                } else {
                        out_escape(o, (unsigned char)*stop);
                        text = stop + 1;
                }
        }
        out_char(o, '"');
}

void json_write_string(struct buf *out, const char *text, size_t len)
{
        struct out o = out_begin(out);
        out_string(&o, text, len);
        out_end(&o);
}
