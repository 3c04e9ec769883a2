/* The spool: what is written to it is read from it, and it has limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/spool.h"
#include "base/testdata/disk_gate.h"

static char folder[64];

/* Files are closed by the spool's thread, and count until then. */
static void wait_until_nothing_is_in_use(void)
{
        for (int i = 0; spool_bytes_in_use() != 0 || spool_files_in_use() != 0; i++) {
                assert_true(i < 20000);
                clock_sleep_ms(1);
        }
}

static void setup(int64_t max_bytes, int64_t max_files, int64_t free_bytes)
{
        wait_until_nothing_is_in_use();
        spool_setup(&(struct spool_options){folder, max_bytes, max_files, free_bytes});
}

static int count_names(void)
{
        DIR *dir = opendir(folder);
        int n = 0;
        assert_non_null(dir);
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
                n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
        }
        closedir(dir);
        return n;
}

static int finish(struct spool *s)
{
        int fd;
        assert_int_equal(spool_finish(s, INT64_MAX, &fd), SPOOL_OK);
        return fd;
}

/* They are closed by the spool's thread. */
static void wait_in_use(int64_t bytes)
{
        for (int i = 0; spool_bytes_in_use() != bytes; i++) {
                assert_true(i < 20000);
                clock_sleep_ms(1);
        }
}

static struct spool *new_once_it_fits(void)
{
        struct spool *s = NULL;
        for (int i = 0; spool_new(0, &s) != SPOOL_OK; i++) {
                assert_true(i < 20000);
                clock_sleep_ms(1);
        }
        return s;
}

static void received_bytes_are_read_from_the_beginning(void **state)
{
        struct spool *s;
        char bytes[16];
        setup(1000, 10, 0);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(spool_append(s, "hello ", 6), SPOOL_OK);
        assert_int_equal(spool_append(s, "world", 5), SPOOL_OK);
        assert_int_equal(spool_size(s), 11);
        assert_int_equal(read(finish(s), bytes, sizeof(bytes)), 11);
        assert_memory_equal(bytes, "hello world", 11);
        assert_int_equal(read(finish(s), bytes, 5), 5);
        assert_memory_equal(bytes, "hello", 5);
        assert_int_equal(count_names(), 0);
        spool_free(s);
        spool_free(NULL);
        wait_in_use(0);
}

static int64_t system_calls_to_write(void)
{
        char text[400] = "";
        int fd = open("/proc/self/io", O_RDONLY);
        assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
        close(fd);
        return strtoll(strstr(text, "syscw:") + strlen("syscw:"), NULL, 10);
}

static void bytes_received_singly_are_not_written_singly(void **state)
{
        enum { MANY = 100000 };
        static unsigned char read_back[MANY];
        struct spool *s;
        setup(1000000, 10, 0);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        int64_t before = system_calls_to_write();
        for (int i = 0; i < MANY; i++) {
                unsigned char byte = (unsigned char)(i % 251);
                assert_int_equal(spool_append(s, &byte, 1), SPOOL_OK);
        }
        int fd = finish(s);
        assert_in_range(system_calls_to_write() - before, 1, MANY / 10000);
        assert_int_equal(read(fd, read_back, MANY), MANY);
        for (int i = 0; i < MANY; i++) {
                assert_int_equal(read_back[i], i % 251);
        }
        spool_free(s);
}

static void pieces_of_all_sizes_keep_their_order(void **state)
{
        static const size_t sizes[] = {1, 16383, 1, 16384, 5, 16385, 40000, 0, 16380, 100};
        static char piece[40000], read_back[200000];
        struct spool *s;
        size_t at = 0, from = 0;
        setup(1000000, 10, 0);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                memset(piece, (int)('a' + i), sizes[i]);
                assert_int_equal(spool_append(s, piece, sizes[i]), SPOOL_OK);
                at += sizes[i];
        }
        assert_int_equal(spool_size(s), at);
        assert_int_equal(read(finish(s), read_back, sizeof(read_back)), at);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); from += sizes[i++]) {
                for (size_t k = 0; k < sizes[i]; k++) {
                        assert_int_equal(read_back[from + k], 'a' + i);
                }
        }
        spool_free(s);
}

static void hash_of(struct spool *s, const char *expected)
{
        uint8_t digest[32];
        char hex[65];
        assert_true(spool_sha256(s, digest));
        for (size_t i = 0; i < sizeof(digest); i++) {
                (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        }
        assert_string_equal(hex, expected);
}

/* The hash of a million "a" is from FIPS 180-2. */
static void the_hash_is_complete_once_all_bytes_are_written(void **state)
{
        static char piece[40000];
        struct spool *s = NULL, *plain = NULL;
        uint8_t digest[32];
        setup(2000000, 10, 0);
        assert_true(spool_new(0, &s) == SPOOL_OK && spool_new(0, &plain) == SPOOL_OK);
        assert_true(spool_hash(s));
        spool_widen(*state != NULL ? s : plain);
        memset(piece, 'a', sizeof(piece));
        for (size_t left = 1000000, n = 1; left > 0; left -= n, n = n * 7 % 39999 + 1) {
                n = n < left ? n : left;
                assert_int_equal(spool_append(s, piece, n), SPOOL_OK);
        }
        assert_int_equal(lseek(finish(s), 0, SEEK_END), 1000000);
        for (int twice = 0; twice < 2; twice++) {
                hash_of(s, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        }
        (void)finish(plain);
        assert_false(spool_sha256(plain, digest));
        spool_free(s);
        spool_free(plain);
        wait_in_use(0);
}

/* Some are dropped while a thread is writing them. */
static void concurrent_files_are_written_independently(void **state)
{
        enum { FILES = 40, ROUNDS = 200 };
        static char piece[20000];
        struct spool *files[FILES];
        setup(INT64_MAX / 2, FILES, 0);
        for (size_t i = 0; i < FILES; i++) {
                assert_true(spool_new(0, &files[i]) == SPOOL_OK && spool_hash(files[i]));
                spool_widen(files[i]);
        }
        for (size_t round = 0; round < ROUNDS; round++) {
                for (size_t i = round < ROUNDS / 2 ? 0 : FILES / 2; i < FILES; i++) {
                        memset(piece, (int)('a' + (i + round) % 26), sizeof(piece));
                        assert_int_equal(spool_append(files[i], piece, (i * 977 + round * 31) % sizeof(piece)),
                                         SPOOL_OK);
                }
                for (size_t i = 0; round == ROUNDS / 2 && i < FILES / 2; i++) {
                        spool_free(files[i]);
                }
        }
        for (size_t i = FILES / 2; i < FILES; i++) {
                static char bytes[sizeof(piece)];
                int fd = finish(files[i]);
                for (size_t round = 0; round < ROUNDS; round++) {
                        size_t n = (i * 977 + round * 31) % sizeof(piece);
                        memset(piece, (int)('a' + (i + round) % 26), n);
                        assert_int_equal(read(fd, bytes, n), n);
                        assert_memory_equal(bytes, piece, n);
                }
                spool_free(files[i]);
        }
        wait_in_use(0);
}

static void a_write_error_is_reported_at_the_end(void **state)
{
        struct rlimit before, little = {100, 100};
        struct spool *s;
        int fd;
        setup(1000, 10, 0);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        little.rlim_max = before.rlim_max;
        assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
        for (int i = 0; i < 101; i++) {
                assert_int_equal(spool_append(s, "x", 1), SPOOL_OK);
        }
        enum spool_result result = spool_finish(s, INT64_MAX, &fd);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(result, SPOOL_BROKEN);
        spool_free(s);
}

static void the_bytes_of_all_files_are_limited_and_released(void **state)
{
        struct spool *a, *b;
        setup(10, 10, 0);
        assert_int_equal(spool_new(0, &a), SPOOL_OK);
        assert_int_equal(spool_append(a, "123456", 6), SPOOL_OK);
        assert_int_equal(spool_new(5, &b), SPOOL_FULL); /* declared size: more than is left */
        assert_int_equal(spool_new(4, &b), SPOOL_OK);   /* which uses nothing yet */
        assert_int_equal(spool_bytes_in_use(), 6);
        assert_int_equal(spool_append(b, "12345", 5), SPOOL_FULL);
        assert_int_equal(spool_append(b, "1234", 4), SPOOL_OK);
        spool_free(a);
        wait_in_use(4);
        assert_int_equal(spool_append(b, "123456", 6), SPOOL_OK);
        spool_free(b);
        wait_in_use(0);
}

static void the_number_of_files_is_limited(void **state)
{
        struct spool *a, *b;
        setup(1000, 1, 0);
        assert_int_equal(spool_new(0, &a), SPOOL_OK);
        assert_int_equal(spool_new(0, &b), SPOOL_FULL);
        spool_free(a);
        b = new_once_it_fits();
        spool_free(b);
}

static void space_to_be_left_free_on_the_disk_is_not_used(void **state)
{
        struct spool *s;
        int fd;
        setup(1000, 10, INT64_MAX / 2);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(spool_finish(s, INT64_MAX, &fd), SPOOL_FULL);
        spool_free(s);
        setup(1000, 1, 0);
        s = new_once_it_fits();
        (void)finish(s);
        spool_free(s);
}

static void a_missing_folder_is_not_reported_as_full(void **state)
{
        struct spool *s;
        int fd;
        wait_until_nothing_is_in_use();
        spool_setup(&(struct spool_options){"/nonexistent/folder", 1000, 10, 0});
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(spool_finish(s, INT64_MAX, &fd), SPOOL_BROKEN);
        assert_int_equal(errno, ENOENT);
        spool_free(s);
}

static void expect_file(const char *path, const char *text)
{
        char bytes[64];
        int fd = open(path, O_RDONLY);
        assert_true(fd >= 0);
        ssize_t n = read(fd, bytes, sizeof(bytes));
        close(fd);
        assert_int_equal(n, strlen(text));
        assert_memory_equal(bytes, text, strlen(text));
}

static void a_kept_file_outlives_the_spool_and_replaces_nothing(void **state)
{
        struct spool *s;
        char path[100];
        setup(1000, 10, 0);
        (void)snprintf(path, sizeof(path), "%s/kept", folder);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(spool_append(s, "kept", 4), SPOOL_OK);
        assert_true(spool_keep(finish(s), path));
        assert_false(spool_keep(finish(s), path));
        assert_int_equal(errno, EEXIST);
        spool_free(s);
        expect_file(path, "kept");
        assert_int_equal(count_names(), 1);
        unlink(path);
}

/* /dev/shm is another file system than the folder of temporary files; where it is not, the file is kept by a link. */
static void a_file_kept_on_another_disk_is_a_copy(void **state)
{
        struct spool *s;
        char path[64];
        setup(1000, 10, 0);
        (void)snprintf(path, sizeof(path), "/dev/shm/sonet-test-spool-%d", (int)getpid());
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(spool_append(s, "copied", 6), SPOOL_OK);
        assert_true(spool_keep(finish(s), path));
        assert_false(spool_keep(finish(s), path));
        assert_int_equal(errno, EEXIST);
        spool_free(s);
        expect_file(path, "copied");
        unlink(path);
}

/* ---- While the disk hangs ---- */

static atomic_int told;

static void tell(void *context)
{
        atomic_fetch_add(&told, 1);
}

static void fill(struct spool *s, size_t bytes)
{
        static char zeros[1000];
        for (size_t at = 0; at < bytes; at += sizeof(zeros)) {
                assert_int_equal(spool_append(s, zeros, sizeof(zeros)), SPOOL_OK);
        }
}

static void bytes_waiting_for_the_disk_are_limited_for_all_files_together(void **state)
{
        struct spool *much, *little;
        setup(10000000, 10, 0);
        told = 0;
        assert_true(spool_listen(tell, &told));
        assert_int_equal(spool_new(0, &much), SPOOL_OK);
        assert_int_equal(spool_new(0, &little), SPOOL_OK);
        (void)finish(little); /* it is no longer processed because it is new */
        disk_gate_close();
        fill(much, 100000);
        disk_gate_await();
        fill(little, 20000);
        assert_false(spool_is_full(little));
        fill(much, 6500000);
        assert_true(spool_is_full(little));
        disk_gate_open();
        for (int i = 0; told == 0 || spool_is_full(little); i++) {
                assert_true(i < 20000);
                clock_sleep_ms(1);
        }
        spool_listen_no_more(&told);
        assert_int_equal(lseek(finish(little), 0, SEEK_END), 20000);
        spool_free(much);
        spool_free(little);
        wait_in_use(0);
}

static void a_writer_does_not_wait_and_is_notified_when_there_is_room(void **state)
{
        struct spool *s;
        setup(10000000, 10, 0);
        told = 0;
        assert_true(spool_listen(tell, &told));
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        disk_gate_close();
        fill(s, 100000);
        disk_gate_await();
        assert_false(spool_is_full(s));
        fill(s, 300000);
        assert_true(spool_is_full(s));
        told = 0; /* a thread may have told late of a file of an earlier test */
        disk_gate_open();
        for (int i = 0; told == 0 || spool_is_full(s); i++) {
                assert_true(i < 20000);
                clock_sleep_ms(1);
        }
        spool_listen_no_more(&told);
        assert_int_equal(lseek(finish(s), 0, SEEK_END), 400000);
        spool_free(s);
        wait_in_use(0);
}

static void a_wide_file_may_wait_with_more_while_others_hold_little(void **state)
{
        struct spool *wide = NULL, *other = NULL;
        setup(10000000, 10, 0);
        assert_true(spool_new(0, &wide) == SPOOL_OK && spool_new(0, &other) == SPOOL_OK);
        spool_widen(wide);
        (void)finish(wide); /* both are open */
        (void)finish(other);
        disk_gate_close();
        fill(wide, 900000);
        disk_gate_await();
        assert_false(spool_is_full(wide));
        fill(other, 1100000);
        assert_true(spool_is_full(other) && spool_is_full(wide));
        disk_gate_open();
        assert_int_equal(lseek(finish(other), 0, SEEK_END), 1100000);
        assert_int_equal(lseek(finish(wide), 0, SEEK_END), 900000);
        spool_free(wide);
        spool_free(other);
        wait_in_use(0);
}

static void a_file_is_copied_as_fast_as_the_disk_accepts_it(void **state)
{
        struct spool *from, *to;
        setup(10000000, 10, 0);
        assert_int_equal(spool_new(0, &from), SPOOL_OK);
        assert_int_equal(spool_new(0, &to), SPOOL_OK);
        fill(from, 2000000);
        int fd = finish(from);
        disk_gate_close();
        assert_int_equal(spool_copy(to, fd, clock_monotonic_us() + 20000), SPOOL_LATE);
        assert_true(spool_size(to) < 500000); /* no more is waiting for the disk */
        disk_gate_open();
        spool_free(to);
        to = new_once_it_fits();
        assert_int_equal(spool_copy(to, fd, INT64_MAX), SPOOL_OK);
        assert_int_equal(lseek(finish(to), 0, SEEK_END), 2000000);
        spool_free(from);
        spool_free(to);
        wait_in_use(0);
}

static void finishing_a_file_waits_no_longer_than_its_timeout(void **state)
{
        struct spool *s;
        int fd;
        setup(10000000, 10, 0);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        disk_gate_close();
        fill(s, 1000);
        assert_int_equal(spool_finish(s, clock_monotonic_us() + 20000, &fd), SPOOL_LATE);
        spool_free(s);
        assert_int_equal(spool_bytes_in_use(), 1000); /* it is still open */
        disk_gate_open();
        wait_in_use(0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(received_bytes_are_read_from_the_beginning),
            cmocka_unit_test(bytes_received_singly_are_not_written_singly),
            cmocka_unit_test(pieces_of_all_sizes_keep_their_order),
            cmocka_unit_test(the_hash_is_complete_once_all_bytes_are_written),
            cmocka_unit_test_prestate(the_hash_is_complete_once_all_bytes_are_written, folder /* wide */),
            cmocka_unit_test(concurrent_files_are_written_independently),
            cmocka_unit_test(a_write_error_is_reported_at_the_end),
            cmocka_unit_test(the_bytes_of_all_files_are_limited_and_released),
            cmocka_unit_test(the_number_of_files_is_limited),
            cmocka_unit_test(space_to_be_left_free_on_the_disk_is_not_used),
            cmocka_unit_test(a_missing_folder_is_not_reported_as_full),
            cmocka_unit_test(a_writer_does_not_wait_and_is_notified_when_there_is_room),
            cmocka_unit_test(bytes_waiting_for_the_disk_are_limited_for_all_files_together),
            cmocka_unit_test(a_wide_file_may_wait_with_more_while_others_hold_little),
            cmocka_unit_test(a_file_is_copied_as_fast_as_the_disk_accepts_it),
            cmocka_unit_test(finishing_a_file_waits_no_longer_than_its_timeout),
            cmocka_unit_test(a_kept_file_outlives_the_spool_and_replaces_nothing),
            cmocka_unit_test(a_file_kept_on_another_disk_is_a_copy),
        };
        (void)snprintf(folder, sizeof(folder), "/tmp/sonet-test-spool-XXXXXX");
        if (mkdtemp(folder) == NULL) {
                return 1;
        }
        int failed = cmocka_run_group_tests_name("spool", tests, NULL, NULL);
        (void)rmdir(folder);
        return failed;
}
