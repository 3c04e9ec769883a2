/* Owns stripping HEIC and AVIF pictures: HEIF (ISO 23008-12), in boxes of ISO 14496-12. Boxes refer to bytes of the
 * file by offset, so nothing moves: the result has the same length, with zeros in place of what is removed. */
#include "services/media/strip.h"

#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 10000, VERSION_BYTES = 4, HANDLER_BYTES = 24 };

struct box {
        size_t at, body, end;
};

struct heif {
        const uint8_t *in;
        size_t len;
        uint8_t *out;
        struct box meta, idat, iloc; /* end is 0 if there is none */
        uint64_t primary;
        unsigned id_bytes; /* bytes per id in references */
        uint32_t kept[ITEMS_MAX];
        size_t n_kept;
};

/* --- boxes --- */

/* Reads a number of 0 to 8 bytes and advances *at. False if the box ends before. */
static bool read_number(const struct heif *h, size_t *at, size_t end, unsigned bytes, uint64_t *out)
{
        if (*at > end || bytes > end - *at) {
                return false;
        }
        *out = 0;
        for (unsigned i = 0; i < bytes; i++) {
                *out = *out << 8 | h->in[(*at)++];
        }
        return true;
}

/* Reads the box at `at`, which must end by `end`. */
static bool read_box(const struct heif *h, size_t at, size_t end, struct box *box)
{
        uint64_t size = 0, type = 0;

        box->at = at;
        if (!read_number(h, &at, end, 4, &size) || !read_number(h, &at, end, 4, &type) ||
            (size == 1 && !read_number(h, &at, end, 8, &size))) {
                return false;
        }
        size = size == 0 ? end - box->at : size; /* extends to the end */
        box->body = at;
        box->end = box->at + (size_t)size;
        return size >= at - box->at && size <= end - box->at;
}

/* Reads the version; *at is then after the flags. */
static bool read_version(const struct heif *h, const struct box *box, uint64_t *version, size_t *at)
{
        uint64_t flags = 0;

        *at = box->body;
        return read_number(h, at, box->end, 1, version) && read_number(h, at, box->end, 3, &flags);
}

static bool is(const struct heif *h, const struct box *box, const char *types)
{
        for (; *types != '\0'; types += 5) { /* "meta mdat " */
                if (memcmp(h->in + box->at + 4, types, 4) == 0) {
                        return true;
                }
        }
        return false;
}

static void keep_bytes(const struct heif *h, size_t from, size_t to)
{
        memcpy(h->out + from, h->in + from, to - from);
}

static void keep_box(const struct heif *h, const struct box *box)
{
        keep_bytes(h, box->at, box->end);
}

/* Blanks a box that is not needed to show the picture. */
static void blank_box(const struct heif *h, const struct box *box)
{
        memset(h->out + box->at, 0, box->end - box->at);
        keep_bytes(h, box->at, box->body);
        memcpy(h->out + box->at + 4, "free", 4);
}

typedef bool (*box_visitor)(struct heif *h, const struct box *box);

static bool each_box(struct heif *h, size_t at, size_t end, box_visitor visit)
{
        struct box box;

        for (; at < end; at = box.end) {
                if (!read_box(h, at, end, &box) || !visit(h, &box)) {
                        return false;
                }
        }
        return true;
}

/* --- items --- */

static bool is_kept(const struct heif *h, uint64_t id)
{
        for (size_t i = 0; i < h->n_kept; i++) {
                if (h->kept[i] == id) {
                        return true;
                }
        }
        return false;
}

static void drop(struct heif *h, uint64_t id)
{
        for (size_t i = 0; i < h->n_kept; i++) {
                if (h->kept[i] == id) {
                        h->kept[i--] = h->kept[--h->n_kept];
                }
        }
}

/* Reads the type and id of an item; *at is then at its name. */
static bool read_item(const struct heif *h, const struct box *box, uint64_t *id, size_t *at)
{
        uint64_t version = 0, protection = 0, type = 0;

        return read_version(h, box, &version, at) && (version == 2 || version == 3) &&
               read_number(h, at, box->end, version == 2 ? 2 : 4, id) && read_number(h, at, box->end, 2, &protection) &&
               read_number(h, at, box->end, 4, &type);
}

/* Keeps pictures, coded or derived from others; not EXIF, XMP or other application data. */
static bool find_item(struct heif *h, const struct box *box)
{
        struct box type = {.at = 0};
        uint64_t id = 0;
        size_t at = 0;

        if (!is(h, box, "infe ") || !read_item(h, box, &id, &at)) {
                return true;
        }
        type.at = at - 8;
        if (!is(h, &type, "hvc1 av01 grid iovl iden ")) {
                return true;
        }
        if (h->n_kept == ITEMS_MAX) {
                return false;
        }
        h->kept[h->n_kept++] = (uint32_t)id;
        return true;
}

/* Removes its name. A dropped item stays in the list with an unknown type, since the list has a count. */
static bool keep_item(struct heif *h, const struct box *box)
{
        uint64_t id = 0;
        size_t at = 0;

        if (!is(h, box, "infe ") || !read_item(h, box, &id, &at)) {
                blank_box(h, box);
                return true;
        }
        keep_bytes(h, box->at, at);
        if (!is_kept(h, id)) {
                memcpy(h->out + at - 4, "free", 4);
        }
        return true;
}

/* Finds the beginning of the list of items. */
static bool find_list(const struct heif *h, const struct box *box, size_t *at)
{
        uint64_t version = 0, count = 0;

        return read_version(h, box, &version, at) && read_number(h, at, box->end, version == 0 ? 2 : 4, &count);
}

static bool find_items(struct heif *h, const struct box *box)
{
        size_t at = 0;

        return find_list(h, box, &at) && each_box(h, at, box->end, find_item);
}

static bool keep_items(struct heif *h, const struct box *box)
{
        size_t at = 0;

        if (!find_list(h, box, &at)) {
                return false;
        }
        keep_bytes(h, box->at, at);
        return each_box(h, at, box->end, keep_item);
}

static bool find_primary(struct heif *h, const struct box *box)
{
        uint64_t version = 0;
        size_t at = 0;

        return read_version(h, box, &version, &at) && read_number(h, &at, box->end, version == 0 ? 2 : 4, &h->primary);
}

/* --- references --- */

/* Thumbnails may show what was cropped from the picture. */
static bool drop_thumbnail(struct heif *h, const struct box *box)
{
        size_t at = box->body;
        uint64_t id = 0;

        if (is(h, box, "thmb ") && read_number(h, &at, box->end, h->id_bytes, &id)) {
                drop(h, id);
        }
        return true;
}

static bool drop_thumbnails(struct heif *h, const struct box *box)
{
        uint64_t version = 0;
        size_t at = 0;

        if (!read_version(h, box, &version, &at)) {
                return false;
        }
        h->id_bytes = version == 0 ? 2 : 4;
        return each_box(h, at, box->end, drop_thumbnail);
}

/* --- locations of items --- */

enum { IN_FILE, IN_IDAT };

struct iloc {
        size_t at, end;
        uint64_t version;
        uint64_t offset, length, base, index; /* sizes of these fields in bytes */
        uint64_t count;                       /* of items */
};

static bool read_iloc(const struct heif *h, const struct box *box, struct iloc *l)
{
        uint64_t sizes = 0;

        *l = (struct iloc){.end = box->end};
        if (!read_version(h, box, &l->version, &l->at) || !read_number(h, &l->at, l->end, 2, &sizes)) {
                return false;
        }
        l->offset = sizes >> 12;
        l->length = sizes >> 8 & 15;
        l->base = sizes >> 4 & 15;
        l->index = l->version > 0 ? sizes & 15 : 0;
        return l->offset <= 8 && l->length <= 8 && l->base <= 8 && l->index <= 8 &&
               read_number(h, &l->at, l->end, l->version < 2 ? 2 : 4, &l->count);
}

/* Extents may overlap other parts of the file, which are overwritten later: only bytes of mdat remain. */
static bool copy_extent(const struct heif *h, uint64_t from, uint64_t offset, uint64_t len)
{
        size_t begin = from == IN_IDAT ? h->idat.body : 0, end = from == IN_IDAT ? h->idat.end : h->len;

        if (offset > end - begin || len > end - begin - offset) {
                return false;
        }
        keep_bytes(h, begin + (size_t)offset, begin + (size_t)(offset + len));
        return true;
}

struct location {
        uint64_t id, from, base, extents;
};

static bool read_location(const struct heif *h, struct iloc *l, struct location *out)
{
        uint64_t reference = 0;

        out->from = 0;
        return read_number(h, &l->at, l->end, l->version < 2 ? 2 : 4, &out->id) &&
               (l->version == 0 || read_number(h, &l->at, l->end, 2, &out->from)) &&
               read_number(h, &l->at, l->end, 2, &reference) &&
               read_number(h, &l->at, l->end, (unsigned)l->base, &out->base) &&
               read_number(h, &l->at, l->end, 2, &out->extents);
}

static bool copy_item(const struct heif *h, struct iloc *l, uint64_t from)
{
        struct location item = {0};
        uint64_t index = 0, offset = 0, len = 0;
        bool ok = read_location(h, l, &item);
        bool copies = ok && item.from == from && is_kept(h, item.id);

        for (uint64_t i = 0; ok && i < item.extents; i++) {
                ok = read_number(h, &l->at, l->end, (unsigned)l->index, &index) &&
                     read_number(h, &l->at, l->end, (unsigned)l->offset, &offset) &&
                     read_number(h, &l->at, l->end, (unsigned)l->length, &len) && offset <= UINT64_MAX - item.base &&
                     (!copies || copy_extent(h, from, item.base + offset, len));
        }
        return ok;
}

static bool copy_items(const struct heif *h, uint64_t from)
{
        struct iloc l;
        bool ok = read_iloc(h, &h->iloc, &l);

        for (uint64_t i = 0; ok && i < l.count; i++) {
                ok = copy_item(h, &l, from);
        }
        return ok;
}

/* --- meta --- */

/* Keeps sizes, colours, rotations, and configurations of decoders. */
static bool keep_property(struct heif *h, const struct box *box)
{
        if (is(h, box, "ispe colr pixi hvcC av1C irot imir clap pasp auxC clli mdcv cclv amve a1op a1lx lsel rloc ")) {
                keep_box(h, box);
        } else {
                blank_box(h, box);
        }
        return true;
}

static bool keep_properties(struct heif *h, const struct box *box)
{
        if (is(h, box, "ipco ")) {
                keep_bytes(h, box->at, box->body);
                return each_box(h, box->body, box->end, keep_property);
        }
        if (is(h, box, "ipma ")) {
                keep_box(h, box);
        } else {
                blank_box(h, box);
        }
        return true;
}

static bool find_part(struct heif *h, const struct box *box)
{
        if (is(h, box, "idat ")) {
                h->idat = *box;
        } else if (is(h, box, "iloc ")) {
                h->iloc = *box;
        } else if (is(h, box, "pitm ")) {
                return find_primary(h, box);
        } else if (is(h, box, "iinf ")) {
                return find_items(h, box);
        }
        return true;
}

static bool find_thumbnails(struct heif *h, const struct box *box)
{
        return !is(h, box, "iref ") || drop_thumbnails(h, box);
}

static bool keep_part(struct heif *h, const struct box *box)
{
        if (is(h, box, "iinf ")) {
                return keep_items(h, box);
        }
        if (is(h, box, "iprp ")) {
                keep_bytes(h, box->at, box->body);
                return each_box(h, box->body, box->end, keep_properties);
        }
        if (is(h, box, "pitm iloc iref ")) {
                keep_box(h, box);
        } else if (is(h, box, "idat ")) {
                keep_bytes(h, box->at, box->body);
        } else if (is(h, box, "hdlr ") && box->end - box->body > HANDLER_BYTES) {
                keep_bytes(h, box->at, box->body + HANDLER_BYTES); /* without the handler's name */
        } else {
                blank_box(h, box);
        }
        return true;
}

static bool keep_meta(struct heif *h, const struct box *box)
{
        memset(h->out + box->at, 0, box->end - box->at);
        keep_bytes(h, box->at, box->body + VERSION_BYTES);
        return each_box(h, box->body + VERSION_BYTES, box->end, keep_part);
}

/* --- the file --- */

static bool find_meta(struct heif *h, const struct box *box)
{
        if (h->meta.end == 0 && is(h, box, "meta ") && box->end - box->body >= VERSION_BYTES) {
                h->meta = *box;
        }
        return true;
}

static bool keep_top(struct heif *h, const struct box *box)
{
        if (box->at == h->meta.at) {
                return keep_meta(h, box);
        }
        if (is(h, box, "ftyp ") && box->at == 0) {
                keep_box(h, box);
        } else if (is(h, box, "mdat ")) {
                keep_bytes(h, box->at, box->body);
        } else {
                blank_box(h, box);
        }
        return true;
}

static bool find_all(struct heif *h)
{
        return each_box(h, 0, h->len, find_meta) && h->meta.end != 0 &&
               each_box(h, h->meta.body + VERSION_BYTES, h->meta.end, find_part) && h->iloc.end != 0 &&
               each_box(h, h->meta.body + VERSION_BYTES, h->meta.end, find_thumbnails) && is_kept(h, h->primary);
}

bool strip_heif(const struct strip *s)
{
        struct heif *h = calloc(1, sizeof(*h));
        uint8_t *out = calloc(1, s->len);
        bool ok = h != NULL && out != NULL;

        if (ok) {
                *h = (struct heif){.in = s->in, .len = s->len, .out = out};
                ok = find_all(h) && copy_items(h, IN_FILE) && each_box(h, 0, h->len, keep_top) &&
                     copy_items(h, IN_IDAT) && s->write(s->context, out, s->len);
        }
        free(h);
        free(out);
        return ok;
}
