/* The spool: what it takes in is what is read, and it has an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spool.h"

static char folder[64];

static void setup(int64_t max_bytes, int64_t max_files, int64_t free_bytes)
{
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

static void what_is_taken_in_is_read_from_the_beginning(void **state)
{
        struct spool *s;
        char bytes[16];
        setup(1000, 10, 0);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(spool_append(s, "hello ", 6), SPOOL_OK);
        assert_int_equal(spool_append(s, "world", 5), SPOOL_OK);
        assert_int_equal(spool_size(s), 11);
        assert_int_equal(read(spool_fd(s), bytes, sizeof(bytes)), 11);
        assert_memory_equal(bytes, "hello world", 11);
        assert_int_equal(read(spool_fd(s), bytes, 5), 5);
        assert_memory_equal(bytes, "hello", 5);
        assert_int_equal(count_names(), 0);
        spool_free(s);
        spool_free(NULL);
        assert_int_equal(spool_bytes_in_use(), 0);
}

static void bytes_of_all_files_together_have_an_end_and_are_given_back(void **state)
{
        struct spool *a, *b;
        setup(10, 10, 0);
        assert_int_equal(spool_new(0, &a), SPOOL_OK);
        assert_int_equal(spool_append(a, "123456", 6), SPOOL_OK);
        assert_int_equal(spool_new(5, &b), SPOOL_FULL); /* announced: more than is left */
        assert_int_equal(spool_new(4, &b), SPOOL_OK);   /* which takes nothing yet */
        assert_int_equal(spool_bytes_in_use(), 6);
        assert_int_equal(spool_append(b, "12345", 5), SPOOL_FULL);
        assert_int_equal(spool_append(b, "1234", 4), SPOOL_OK);
        spool_free(a);
        assert_int_equal(spool_bytes_in_use(), 4);
        assert_int_equal(spool_append(b, "123456", 6), SPOOL_OK);
        spool_free(b);
        assert_int_equal(spool_bytes_in_use(), 0);
}

static void files_have_an_end(void **state)
{
        struct spool *a, *b;
        setup(1000, 1, 0);
        assert_int_equal(spool_new(0, &a), SPOOL_OK);
        assert_int_equal(spool_new(0, &b), SPOOL_FULL);
        spool_free(a);
        assert_int_equal(spool_new(0, &b), SPOOL_OK);
        spool_free(b);
}

static void what_must_stay_free_on_the_disk_is_not_taken(void **state)
{
        struct spool *s;
        setup(1000, 10, INT64_MAX / 2);
        assert_int_equal(spool_new(0, &s), SPOOL_FULL);
        setup(1000, 1, 0); /* the refusal has given the file back */
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        spool_free(s);
}

static void a_folder_that_is_not_there_is_no_matter_of_waiting(void **state)
{
        struct spool *s;
        spool_setup(&(struct spool_options){"/nonexistent/folder", 1000, 10, 0});
        assert_int_equal(spool_new(0, &s), SPOOL_BROKEN);
        assert_int_equal(errno, ENOENT);
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

static void what_is_kept_outlives_the_spool_and_replaces_nothing(void **state)
{
        struct spool *s;
        char path[100];
        setup(1000, 10, 0);
        (void)snprintf(path, sizeof(path), "%s/kept", folder);
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(spool_append(s, "kept", 4), SPOOL_OK);
        assert_true(spool_keep(spool_fd(s), path));
        assert_false(spool_keep(spool_fd(s), path));
        assert_int_equal(errno, EEXIST);
        spool_free(s);
        expect_file(path, "kept");
        assert_int_equal(count_names(), 1);
        unlink(path);
}

/* /dev/shm is another file system than the folder of temporary files; where it is not, it is kept by a link. */
static void what_is_kept_on_another_disk_is_a_copy(void **state)
{
        struct spool *s;
        char path[64];
        setup(1000, 10, 0);
        (void)snprintf(path, sizeof(path), "/dev/shm/sonet-test-spool-%d", (int)getpid());
        assert_int_equal(spool_new(0, &s), SPOOL_OK);
        assert_int_equal(spool_append(s, "copied", 6), SPOOL_OK);
        assert_true(spool_keep(spool_fd(s), path));
        assert_false(spool_keep(spool_fd(s), path));
        assert_int_equal(errno, EEXIST);
        spool_free(s);
        expect_file(path, "copied");
        unlink(path);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_taken_in_is_read_from_the_beginning),
            cmocka_unit_test(bytes_of_all_files_together_have_an_end_and_are_given_back),
            cmocka_unit_test(files_have_an_end),
            cmocka_unit_test(what_must_stay_free_on_the_disk_is_not_taken),
            cmocka_unit_test(a_folder_that_is_not_there_is_no_matter_of_waiting),
            cmocka_unit_test(what_is_kept_outlives_the_spool_and_replaces_nothing),
            cmocka_unit_test(what_is_kept_on_another_disk_is_a_copy),
        };
        (void)snprintf(folder, sizeof(folder), "/tmp/sonet-test-spool-XXXXXX");
        if (mkdtemp(folder) == NULL) {
                return 1;
        }
        int failed = cmocka_run_group_tests_name("spool", tests, NULL, NULL);
        (void)rmdir(folder);
        return failed;
}
