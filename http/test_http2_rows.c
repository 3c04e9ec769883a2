/* Owns sending rows of malformed bytes, and comparing the responses. */
#include "http/test_http2_rows.h"

#include <unistd.h>

void h2_get_frame(struct buf *b, uint32_t stream, int flags)
{
        struct buf block;

        h2_get(&block, "/echo");
        h2_headers(b, flags, stream, &block);
        buf_free(&block);
}

static bool check_row(const struct fixture *fixture, const struct h2_row *row)
{
        int fd = h2_open(fixture), found, wanted = row->expected == RESET_OF_1 ? -1 - row->code : row->code;
        struct buf b;

        h2_case = row->name;
        h2_begin(&b);
        row->make(&b);
        h2_send(fd, &b);
        if (row->expected == GOAWAY) {
                found = h2_read_goaway(fd);
        } else {
                found = h2_read_status(fd, row->expected == RESET_OF_1 ? 1 : row->expected);
                close(fd);
        }
        if (found != wanted) {
                print_error("%s: %d instead of %d\n", row->name, found, wanted);
        }
        return found == wanted;
}

void h2_check_rows(const struct fixture *fixture, const struct h2_row *rows, size_t n)
{
        size_t right = 0;

        for (size_t i = 0; i < n; i++) {
                right += check_row(fixture, &rows[i]);
        }
        assert_int_equal(right, n);
}
