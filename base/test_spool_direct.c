/* The spool: bytes are received into its memory, and large files are written past the page cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/spool.h"
#include "base/testdata/disk_gate.h"

enum { MIB = 1 << 20 };

static char folder[] = "/var/tmp/sonet-test-spool-XXXXXX";

/* Not every file system does. */
static bool folder_supports_direct(void)
{
        int fd = open(folder, O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);

        if (fd >= 0) {
                close(fd);
        }
        return fd >= 0;
}

/* As if these bytes were received; returns how many fitted. */
static size_t append_received(struct spool *s, const uint8_t *bytes, size_t len)
{
        struct iovec areas[5];
        int n = spool_reserve(s, areas, 5);
        size_t at = 0;

        assert_true(n > 0);
        for (int i = 0; i < n && at < len; i++) {
                size_t part = len - at < areas[i].iov_len ? len - at : areas[i].iov_len;

                memcpy(areas[i].iov_base, bytes + at, part);
                at += part;
        }
        assert_int_equal(spool_append_reserved(s, at), SPOOL_OK);
        return at;
}

/* Appends size bytes in odd pieces, every other one as if it were received, and computes their SHA-256. */
static void append_pieces(struct spool *s, int64_t size, uint8_t digest[32])
{
        static uint8_t piece[100003];
        EVP_MD_CTX *hash = EVP_MD_CTX_new();

        assert_int_equal(EVP_DigestInit_ex(hash, EVP_sha256(), NULL), 1);
        for (int64_t at = 0, n; at < size; at += n) {
                n = size - at < (int64_t)sizeof(piece) ? size - at : (int64_t)sizeof(piece);
                memset(piece, (int)(at % 251), (size_t)n);
                if (at / n % 2 == 0) {
                        assert_int_equal(spool_append(s, piece, (size_t)n), SPOOL_OK);
                } else {
                        n = (int64_t)append_received(s, piece, (size_t)n);
                }
                assert_int_equal(EVP_DigestUpdate(hash, piece, (size_t)n), 1);
        }
        assert_int_equal(EVP_DigestFinal_ex(hash, digest, NULL), 1);
        EVP_MD_CTX_free(hash);
}

/* Into memory that is not aligned. */
static int64_t read_all(int fd, uint8_t digest[32])
{
        static uint8_t bytes[100004];
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        int64_t size = 0;

        assert_int_equal(EVP_DigestInit_ex(hash, EVP_sha256(), NULL), 1);
        for (ssize_t n; (n = read(fd, bytes + 1, sizeof(bytes) - 1)) != 0; size += n) {
                assert_true(n > 0);
                assert_int_equal(EVP_DigestUpdate(hash, bytes + 1, (size_t)n), 1);
        }
        assert_int_equal(EVP_DigestFinal_ex(hash, digest, NULL), 1);
        EVP_MD_CTX_free(hash);
        return size;
}

/* Returns how many of its writes were direct. */
static int check_file(int64_t announced, int64_t size, enum slow_disk_direct direct)
{
        uint8_t sent[32], hashed[32], kept[32];
        struct spool *s;
        int fd;

        (void)slow_disk_direct(direct);
        assert_int_equal(spool_new(announced, &s), SPOOL_OK);
        assert_true(spool_hash(s));
        spool_widen(s);
        append_pieces(s, size, sent);
        assert_int_equal(spool_finish(s, INT64_MAX, &fd), SPOOL_OK);
        assert_true(spool_sha256(s, hashed));
        assert_int_equal(read_all(fd, kept), size);
        assert_memory_equal(hashed, sent, 32);
        assert_memory_equal(kept, sent, 32);
        spool_free(s);
        for (int i = 0; spool_files_in_use() != 0; i++) {
                assert_true(i < 20000);
                clock_sleep_ms(1);
        }
        return slow_disk_direct(SLOW_DISK_DIRECT);
}

static void large_files_are_written_directly(void **state)
{
        static const int64_t sizes[] = {9 * MIB, 9 * MIB + 1, 9 * MIB - 1, 9 * MIB + (16 << 10)};

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                int direct = check_file(sizes[i], sizes[i], SLOW_DISK_DIRECT);

                assert_true(direct > 1 || !folder_supports_direct());
        }
}

static void files_that_are_small_or_of_unknown_size_are_not(void **state)
{
        assert_int_equal(check_file(MIB, MIB, SLOW_DISK_DIRECT), 0);
        assert_int_equal(check_file(0, 9 * MIB, SLOW_DISK_DIRECT), 0);
}

static void after_a_failed_or_short_direct_write_the_rest_is_written_as_usual(void **state)
{
        int most = folder_supports_direct() ? 1 : 0;

        assert_int_equal(check_file(9 * MIB, 9 * MIB, SLOW_DISK_REFUSES_DIRECT), most);
        assert_int_equal(check_file(9 * MIB, 9 * MIB, SLOW_DISK_CUTS_DIRECT), most);
}

static size_t size_of(const struct iovec *areas, int n)
{
        size_t size = 0;

        for (int i = 0; i < n; i++) {
                size += areas[i].iov_len;
        }
        return size;
}

static void reserved_memory_is_limited_and_returned_if_nothing_is_received(void **state)
{
        struct iovec areas[200];
        struct spool *narrow, *wide;
        int fd;

        assert_int_equal(spool_new(0, &narrow), SPOOL_OK);
        assert_int_equal(spool_new(0, &wide), SPOOL_OK);
        spool_widen(wide);
        assert_in_range(size_of(areas, spool_reserve(narrow, areas, 200)), 1, 160 << 10);
        assert_in_range(size_of(areas, spool_reserve(wide, areas, 200)), 160 << 10, 1536 << 10);
        assert_int_equal(spool_append_reserved(narrow, 0), SPOOL_OK);
        assert_int_equal(spool_append_reserved(wide, 0), SPOOL_OK);
        assert_int_equal(spool_reserve(narrow, areas, 3), 3); /* freed with the file */
        assert_int_equal(spool_finish(wide, INT64_MAX, &fd), SPOOL_OK);
        assert_int_equal(lseek(fd, 0, SEEK_END), 0);
        spool_free(narrow);
        spool_free(wide);
}

static void received_bytes_beyond_the_limit_are_rejected(void **state)
{
        struct iovec areas[7];
        struct spool *s;

        spool_setup(&(struct spool_options){folder, 100000, 10, 0});
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(size_of(areas, spool_reserve(s, areas, 7)), 7 * (16 << 10));
        assert_int_equal(spool_append_reserved(s, 100001), SPOOL_FULL);
        assert_int_equal(spool_size(s), 0);
        spool_free(s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(large_files_are_written_directly),
            cmocka_unit_test(files_that_are_small_or_of_unknown_size_are_not),
            cmocka_unit_test(after_a_failed_or_short_direct_write_the_rest_is_written_as_usual),
            cmocka_unit_test(reserved_memory_is_limited_and_returned_if_nothing_is_received),
            cmocka_unit_test(received_bytes_beyond_the_limit_are_rejected),
        };
        if (mkdtemp(folder) == NULL) {
                return 1;
        }
        spool_setup(&(struct spool_options){folder, 100 * MIB, 10, 0});
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        return rmdir(folder) != 0 || failed > 0;
}
