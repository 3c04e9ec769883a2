/* The spool: large files are written past the page cache. */
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

/* Appends size bytes in odd pieces, and computes their SHA-256. */
static void append_pieces(struct spool *s, int64_t size, uint8_t digest[32])
{
        static uint8_t piece[100003];
        EVP_MD_CTX *hash = EVP_MD_CTX_new();

        assert_int_equal(EVP_DigestInit_ex(hash, EVP_sha256(), NULL), 1);
        for (int64_t at = 0, n; at < size; at += n) {
                n = size - at < (int64_t)sizeof(piece) ? size - at : (int64_t)sizeof(piece);
                memset(piece, (int)(at % 251), (size_t)n);
                assert_int_equal(EVP_DigestUpdate(hash, piece, (size_t)n), 1);
                assert_int_equal(spool_append(s, piece, (size_t)n), SPOOL_OK);
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

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(large_files_are_written_directly),
            cmocka_unit_test(files_that_are_small_or_of_unknown_size_are_not),
            cmocka_unit_test(after_a_failed_or_short_direct_write_the_rest_is_written_as_usual),
        };
        if (mkdtemp(folder) == NULL) {
                return 1;
        }
        spool_setup(&(struct spool_options){folder, 100 * MIB, 10, 0});
        int failed = cmocka_run_group_tests(tests, NULL, NULL);
        return rmdir(folder) != 0 || failed > 0;
}
