/* The queue and its sender, with a real database and a real folder: a mail exists with its transaction, is sent once
 * per key, waits for unreachable targets, and leaves no secrets behind. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "auth/keys.h"
#include "db/test_support.h"
#include "mail/parts.h"

#define OWNER "01890000-0000-7000-8000-00000000000a"

static const struct mail_variable variables[] = {{"code", MAIL_CODE}, {0}};
static const struct mail_language languages[] = {{"en", "Subject: Your code\n\nIt is {code}.\n"}, {0}};
static const struct mail_template template = {"sample", variables, languages};

static struct test_database database;
static struct settings settings;
static char folder[64];

static int start(void **state)
{
        static const uint8_t master[32] = {9};
        struct buf error;

        buf_init(&error, 1000);
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        keys_set_master(master);
        test_database_new(&database, NULL, 0, 4);
        (void)snprintf(folder, sizeof(folder), "/tmp/sonet-mails-XXXXXX");
        assert_non_null(mkdtemp(folder));
        assert_int_equal(settings_load(&settings, &error), SN_OK);
        settings.smtp_url = "";
        settings.mail_dir = folder;
        assert_int_equal(mail_setup(&settings, &error), SN_OK);
        buf_free(&error);
        return 0;
}

static int stop(void **state)
{
        char command[100];

        test_database_free(&database);
        (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
        return system(command);
}

static void call_free_p(struct rpc_call **c)
{
        rpc_call_free(*c);
}

#define BACKGROUND CLEANUP(call_free_p) struct rpc_call *c = rpc_call_new_background(&database.service, 20000)

static sn_status enqueue(const char *key, int64_t life_ms, const char *code)
{
        BACKGROUND;

        return DB_WRITE(c, tx,
                        mail_enqueue(tx, &(struct mail){.template = &template,
                                                        .to = "ada@example.org",
                                                        .language = "en",
                                                        .owner_id = OWNER,
                                                        .key = key,
                                                        .life_ms = life_ms,
                                                        MAIL_VALUES(mail_code("code", code))}));
}

static int files(void)
{
        DIR *dir = opendir(folder);
        int n = 0;

        for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
                n += strstr(e->d_name, ".eml") != NULL;
        }
        closedir(dir);
        return n;
}

static void send_all(void)
{
        struct mail_sender *sender = mail_sender_new(&database.service);

        test_wait_for(database.name, "select not exists (select from mail_queue where settled_at is null)");
        mail_sender_free(sender);
}

static const char *ask(const char *sql)
{
        return test_admin(database.name, sql);
}

static void a_key_is_mailed_once(void **state)
{
        int before = files();

        assert_int_equal(enqueue("once", 0, "111111"), SN_OK);
        assert_int_equal(enqueue("once", 0, "222222"), SN_OK);
        send_all();
        assert_int_equal(enqueue("once", 0, "333333"), SN_OK);
        send_all();
        assert_int_equal(files(), before + 1);
}

static void a_mail_does_not_exist_without_its_transaction(void **state)
{
        BACKGROUND;
        struct db_tx *tx = NULL;

        assert_int_equal(db_begin(c, &tx), SN_OK);
        assert_int_equal(mail_enqueue(tx, &(struct mail){.template = &template,
                                                         .to = "ada@example.org",
                                                         .language = "en",
                                                         .owner_id = OWNER,
                                                         .key = "undone",
                                                         MAIL_VALUES(mail_code("code", "1"))}),
                         SN_OK);
        db_end(&tx);
        assert_string_equal(ask("select count(*) from mail_queue where key = 'undone'"), "0");
}

static void secrets_are_encrypted_and_then_deleted(void **state)
{
        assert_int_equal(enqueue("secret", 0, "SECRET-424242"), SN_OK);
        assert_string_equal(ask("select bool_or(content::text like '%' || encode('424242', 'hex') || '%')"
                                " from mail_queue where content is not null"),
                            "f");
        send_all();
        assert_string_equal(ask("select content is null and state = 'sent' from mail_queue where key = 'secret'"), "t");
}

static void an_expired_mail_is_not_sent(void **state)
{
        int before = files();

        assert_int_equal(enqueue("late", 1, "111111"), SN_OK);
        test_wait_for(database.name, "select expires_at < now() from mail_queue where key = 'late'");
        send_all();
        assert_int_equal(files(), before);
        assert_string_equal(ask("select state || ' ' || error || ' ' || (content is null) from mail_queue"
                                " where key = 'late'"),
                            "failed too late to be sent true");
}

static void a_mail_waits_while_its_target_is_unreachable(void **state)
{
        int before = files();

        assert_int_equal(chmod(folder, 0500), 0);
        assert_int_equal(rename(folder, "/tmp/sonet-mails-away"), 0);
        assert_int_equal(close(creat(folder, 0600)), 0); /* so that the folder cannot be created */
        assert_int_equal(enqueue("waits", 0, "111111"), SN_OK);
        struct mail_sender *sender = mail_sender_new(&database.service);

        test_wait_for(database.name, "select error <> '' from mail_queue where key = 'waits'");
        assert_string_equal(ask("select state || attempts from mail_queue where key = 'waits'"), "waiting0");
        assert_int_equal(unlink(folder), 0);
        assert_int_equal(rename("/tmp/sonet-mails-away", folder), 0);
        assert_int_equal(chmod(folder, 0700), 0);
        test_wait_for(database.name, "select state = 'sent' from mail_queue where key = 'waits'");
        mail_sender_free(sender);
        assert_int_equal(files(), before + 1);
}

static void two_senders_share_the_work(void **state)
{
        int before = files();

        for (int i = 0; i < 100; i++) {
                char key[20];

                (void)snprintf(key, sizeof(key), "shared-%d", i);
                assert_int_equal(enqueue(key, 0, "111111"), SN_OK);
        }
        struct mail_sender *other = mail_sender_new(&database.service);

        send_all();
        mail_sender_free(other);
        assert_int_equal(files(), before + 100);
        assert_string_equal(ask("select max(attempts) from mail_queue where key like 'shared-%'"), "1");
}

static void a_foreign_key_file_fails_the_mail(void **state)
{
        static const uint8_t other[32] = {10}, master[32] = {9};

        assert_int_equal(enqueue("foreign", 0, "111111"), SN_OK);
        keys_set_master(other);
        send_all();
        keys_set_master(master);
        assert_string_equal(ask("select state || ' ' || error from mail_queue where key = 'foreign'"),
                            "failed was encrypted with a different key file");
}

static void mails_to_a_member_are_counted_and_can_be_deleted(void **state)
{
        BACKGROUND;
        int64_t n = 0, wait_s = 0;

        assert_int_equal(DB_READ(c, tx, mail_count(tx, OWNER, &template, 3600, &n, &wait_s)), SN_OK);
        assert_true(n > 100);
        assert_true(wait_s > 3000 && wait_s <= 3600);
        assert_int_equal(DB_WRITE(c, tx, mail_forget(tx, OWNER)), SN_OK);
        assert_int_equal(DB_READ(c, tx, mail_count(tx, OWNER, &template, 3600, &n, &wait_s)), SN_OK);
        assert_int_equal(n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_key_is_mailed_once),
            cmocka_unit_test(a_mail_does_not_exist_without_its_transaction),
            cmocka_unit_test(secrets_are_encrypted_and_then_deleted),
            cmocka_unit_test(an_expired_mail_is_not_sent),
            cmocka_unit_test(a_mail_waits_while_its_target_is_unreachable),
            cmocka_unit_test(two_senders_share_the_work),
            cmocka_unit_test(a_foreign_key_file_fails_the_mail),
            cmocka_unit_test(mails_to_a_member_are_counted_and_can_be_deleted),
        };

        return cmocka_run_group_tests(tests, start, stop);
}
