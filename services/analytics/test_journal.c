/* The journal of events: what was taken is read once, whatever was cut off; and it is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include "services/analytics/journal.h"

#define MAX_BYTES (1 << 20)

static char folder[100];

static int setup(void **state)
{
        (void)snprintf(folder, sizeof(folder), "/tmp/sonet-test-journal.XXXXXX");
        assert_non_null(mkdtemp(folder));
        assert_true(journal_start(folder, MAX_BYTES));
        return 0;
}

/* Reads and removes all that waits; how many records. texts (may be NULL): one after the other. */
static size_t take_all(char *texts)
{
        struct journal_file file;
        const uint8_t *record = NULL;
        size_t n = 0, len = 0;

        while (journal_take(&file)) {
                for (; journal_read(&file, &record, &len) == JOURNAL_RECORD; n++) {
                        if (texts != NULL) {
                                (void)strncat(texts, (const char *)record, len);
                        }
                }
                assert_true(journal_release(&file, true));
        }
        return n;
}

static int teardown(void **state)
{
        (void)take_all(NULL);
        journal_stop();
        return rmdir(folder);
}

static void append(const char *text)
{
        assert_int_equal(journal_append(text, strlen(text)), JOURNAL_OK);
}

static void what_was_taken_is_read_once_and_in_order(void **state)
{
        char texts[100] = "";

        append("one ");
        append("two ");
        assert_int_equal(take_all(texts), 2);
        assert_string_equal(texts, "one two ");
        assert_int_equal(take_all(NULL), 0);
        append("three");
        assert_int_equal(take_all(NULL), 1);
}

static void what_was_not_stored_is_there_again(void **state)
{
        struct journal_file file;

        append("one");
        assert_true(journal_take(&file));
        assert_false(journal_release(&file, false));
        assert_int_equal(take_all(NULL), 1);
}

static void a_full_journal_takes_no_more_until_it_is_read(void **state)
{
        static char block[MAX_BYTES / 4];

        for (int i = 0; i < 3; i++) {
                assert_int_equal(journal_append(block, sizeof(block)), JOURNAL_OK);
        }
        assert_int_equal(journal_append(block, sizeof(block)), JOURNAL_FULL);
        assert_int_equal(take_all(NULL), 3);
        struct journal_file none;
        assert_false(journal_take(&none));
        assert_int_equal(journal_append(block, sizeof(block)), JOURNAL_OK);
}

/* A process that ends in the middle of a record leaves the ones before it. */
static void a_record_truncated_by_a_crash_ends_the_file(void **state)
{
        for (size_t cut = 1; cut < 14; cut++) {
                struct journal_file file;
                char texts[100] = "";

                append("whole");
                append("broken");
                assert_true(journal_take(&file));
                assert_false(journal_release(&file, false));
                assert_int_equal(truncate(file.path, (off_t)(8 + 5 + 8 + 6 - cut)), 0);
                assert_int_equal(take_all(texts), 1);
                assert_string_equal(texts, "whole");
        }
}

/* Takes the file of what was appended after its byte was changed there. */
static void take_changed(off_t byte, struct journal_file *file)
{
        assert_true(journal_take(file));
        assert_false(journal_release(file, false));
        int fd = open(file->path, O_WRONLY);
        assert_int_equal(pwrite(fd, "W", 1, byte), 1);
        close(fd);
        assert_true(journal_take(file));
}

static void a_changed_byte_is_noticed(void **state)
{
        struct journal_file file;
        const uint8_t *record = NULL;
        size_t len = 0;

        append("whole");
        take_changed(8, &file);
        assert_int_equal(journal_read(&file, &record, &len), JOURNAL_END);
        assert_true(journal_release(&file, true));
}

/* The record behind the damage was acknowledged. */
static void a_file_that_is_damaged_in_the_middle_is_kept(void **state)
{
        static const off_t bytes[] = {13 + 3, 13 + 8}; /* of the length (then it is enormous), and of the text */

        for (size_t i = 0; i < 2; i++) {
                struct journal_file file, none;
                const uint8_t *record = NULL;
                size_t len = 0;
                char bad[sizeof(file.path)];

                append("whole");
                append("changed");
                append("behind");
                take_changed(bytes[i], &file);
                assert_int_equal(journal_read(&file, &record, &len), JOURNAL_RECORD);
                assert_memory_equal(record, "whole", 5);
                assert_int_equal(journal_read(&file, &record, &len), JOURNAL_DAMAGED);
                journal_set_aside(&file);
                assert_false(journal_release(&file, false));
                assert_false(journal_take(&none));
                (void)snprintf(bad, sizeof(bad), "%.*s.bad", (int)strlen(file.path) - 4, file.path);
                assert_int_equal(unlink(bad), 0);
        }
}

static void a_disk_that_fails_is_no_end(void **state)
{
        struct journal_file file;
        const uint8_t *record = NULL;
        size_t len = 0;

        append("one");
        assert_true(journal_take(&file));
        int unreadable = open(file.path, O_WRONLY);
        assert_int_equal(dup2(unreadable, file.fd), file.fd);
        close(unreadable);
        assert_int_equal(journal_read(&file, &record, &len), JOURNAL_UNREAD);
        assert_false(journal_release(&file, false));
        assert_int_equal(take_all(NULL), 1);
}

/* Killed at once after the acknowledgement, without any end. */
static void another_process_reads_what_a_killed_one_left(void **state)
{
        int status = 0;
        pid_t pid = fork();

        if (pid == 0) {
                _exit(journal_append("left", 4) == JOURNAL_OK ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        char texts[10] = "";
        assert_int_equal(take_all(texts), 1);
        assert_string_equal(texts, "left");
}

static void *append_many(void *context)
{
        for (int i = 0; i < 200; i++) {
                append("x");
        }
        return NULL;
}

static void writers_and_a_reader_at_the_same_time_lose_nothing(void **state)
{
        pthread_t threads[4];
        size_t n = 0;

        for (size_t i = 0; i < 4; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, append_many, NULL), 0);
        }
        for (int i = 0; i < 20; i++) {
                n += take_all(NULL);
        }
        for (size_t i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
        }
        assert_int_equal(n + take_all(NULL), 800);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
            TEST(what_was_taken_is_read_once_and_in_order),
            TEST(what_was_not_stored_is_there_again),
            TEST(a_full_journal_takes_no_more_until_it_is_read),
            TEST(a_record_truncated_by_a_crash_ends_the_file),
            TEST(a_changed_byte_is_noticed),
            TEST(a_file_that_is_damaged_in_the_middle_is_kept),
            TEST(a_disk_that_fails_is_no_end),
            TEST(another_process_reads_what_a_killed_one_left),
            TEST(writers_and_a_reader_at_the_same_time_lose_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
