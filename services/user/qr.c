/* Owns drawing QR codes. */
#include "services/user/qr.h"

#include <qrencode.h>
#include "base/buf.h"

enum { MARGIN = 4, MOST_BYTES = 256 * 1024 };

static void free_code(QRcode **code)
{
        QRcode_free(*code);
}

static bool is_dark(const QRcode *code, int x, int y)
{
        return x < code->width && (code->data[y * code->width + x] & 1) != 0;
}

/* Each run of dark modules of a row is one rectangle. */
static void draw_row(struct buf *out, const QRcode *code, int y)
{
        for (int x = 0; x < code->width; x++) {
                int start = x;

                while (is_dark(code, x, y)) {
                        x++;
                }
                if (x > start) {
                        buf_printf(out, "M%d %dh%dv1h-%dz", start + MARGIN, y + MARGIN, x - start, x - start);
                }
        }
}

sn_status qr_svg(struct rpc_call *c, const char *text, char **svg)
{
        CLEANUP(free_code) QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
        CLEANUP(buf_free) struct buf out;

        buf_init(&out, MOST_BYTES);
        if (code == NULL) {
                return rpc_fail(c, SN_INTERNAL, NULL, "could not generate the QR code");
        }
        int size = code->width + 2 * MARGIN;
        buf_printf(&out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
                   "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path d=\"",
                   size, size, size, size);
        for (int y = 0; y < code->width; y++) {
                draw_row(&out, code, y);
        }
        buf_append_c(&out, "\"/></svg>");
        *svg = arena_strndup(c->arena, out.data, out.len);
        return SN_OK;
}
