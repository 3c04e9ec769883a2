/* Creating, reading and rejecting the key file, and that keys are derived by HKDF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/keys.h"

static char folder[] = "/tmp/sonet-keys.XXXXXX";
static char path[64];
static struct buf error;

static void write_file(const char *text, mode_t mode)
{
        unlink(path);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        assert_int_equal(fchmod(fd, mode), 0);
        close(fd);
}

static void load_is_refused(const char *word)
{
        uint64_t before = keys_generation();
        buf_reset(&error);
        assert_int_equal(keys_load(path, 1, &error), SN_FAILED_PRECONDITION);
        if (strstr(error.data, word) == NULL || strstr(error.data, path) == NULL) {
                fail_msg("«%s» does not say «%s»", error.data, word);
        }
        assert_int_equal(keys_generation(), before);
}

static const char key_text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

static void a_missing_file_is_created_readable_by_its_owner_only(void **state)
{
        uint8_t first[32], again[32];
        struct stat status;
        unlink(path);
        assert_int_equal(keys_load(path, 1, &error), SN_OK);
        keys_derive("cursor", first);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(status.st_size, 44);
        assert_int_equal(status.st_nlink, 1); /* no other files are left */

        assert_int_equal(keys_load(path, 0, &error), SN_OK);
        keys_derive("cursor", again);
        assert_memory_equal(first, again, 32);
}

static void the_error_names_a_missing_file_that_must_not_be_created(void **state)
{
        unlink(path);
        buf_reset(&error);
        assert_int_equal(keys_load(path, 0, &error), SN_FAILED_PRECONDITION);
        assert_non_null(strstr(error.data, path));
        assert_int_equal(access(path, F_OK), -1);
}

static void concurrent_creations_agree(void **state)
{
        enum { PROCESSES = 8 };
        int pipes[2];
        uint8_t all[PROCESSES][32];
        unlink(path);
        assert_int_equal(pipe(pipes), 0);
        for (int i = 0; i < PROCESSES; i++) {
                pid_t child = fork();
                assert_true(child >= 0);
                if (child == 0) {
                        uint8_t key[32];
                        bool good = keys_load(path, 1, &error) == SN_OK;
                        keys_derive("cursor", key);
                        _exit(good && write(pipes[1], key, sizeof(key)) == sizeof(key) ? 0 : 1);
                }
        }
        for (int i = 0; i < PROCESSES; i++) {
                int status;
                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
                assert_int_equal(read(pipes[0], all[i], 32), 32);
                assert_memory_equal(all[i], all[0], 32);
        }
        close(pipes[0]);
        close(pipes[1]);
}

static void a_file_that_others_can_read_is_rejected(void **state)
{
        static const mode_t modes[] = {0640, 0604, 0620, 0601, 0644, 0666};
        for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
                write_file(key_text, modes[i]);
                load_is_refused("chmod 600");
        }
        write_file(key_text, 0400);
        assert_int_equal(keys_load(path, 0, &error), SN_OK);
}

static void a_file_of_another_account_is_rejected(void **state)
{
        if (geteuid() != 0) {
                skip(); /* only root can change the owner, and only root could read it then */
        }
        write_file(key_text, 0600);
        assert_int_equal(chown(path, 65534, 65534), 0);
        load_is_refused("another account");
        assert_int_equal(chown(path, 0, 65534), 0); /* its group has no access */
        assert_int_equal(keys_load(path, 0, &error), SN_OK);
}

static void a_file_of_another_size_or_alphabet_is_rejected(void **state)
{
        static const char *const texts[] = {
            "",
            "\n",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n\n",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                write_file(texts[i], 0600);
                load_is_refused("43 characters");
        }
        write_file("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", 0600);
        assert_int_equal(keys_load(path, 0, &error), SN_OK);
}

static void non_files_are_rejected(void **state)
{
        unlink(path);
        assert_int_equal(mkdir(path, 0700), 0);
        load_is_refused("is a folder");
        rmdir(path);
        assert_int_equal(mkfifo(path, 0600), 0); /* must not block on a writer */
        load_is_refused("not a regular file");
        unlink(path);
}

static void a_folder_that_does_not_exist_is_named(void **state)
{
        buf_reset(&error);
        assert_int_equal(keys_load("/nonexistent/sonet/key", 1, &error), SN_FAILED_PRECONDITION);
        assert_non_null(strstr(error.data, "No such file"));
}

static void derived_keys_are_hkdf_sha256(void **state)
{
        uint8_t master[32], ours[32], theirs[32];
        for (int i = 0; i < 32; i++) {
                master[i] = (uint8_t)i;
        }
        keys_set_master(master);
        keys_derive("database:note_service", ours);

        EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
        EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, master, sizeof(master)),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (char *)"sonet key file", strlen("sonet key file")),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (char *)"database:note_service",
                                              strlen("database:note_service")),
            OSSL_PARAM_construct_end(),
        };
        assert_int_equal(EVP_KDF_derive(context, theirs, sizeof(theirs), params), 1);
        EVP_KDF_CTX_free(context);
        EVP_KDF_free(kdf);
        assert_memory_equal(ours, theirs, 32);
}

static void each_purpose_has_its_own_key(void **state)
{
        uint8_t master[32] = {7}, a[32], b[32];
        char text[44];
        keys_set_master(master);
        keys_derive("cursor", a);
        keys_derive("service-token", b);
        assert_memory_not_equal(a, b, 32);
        keys_derive_text("cursor", text);
        assert_int_equal(strlen(text), 43);
        assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
}

static int with_folder(void **state)
{
        buf_init(&error, 1000);
        if (mkdtemp(folder) == NULL) {
                return -1;
        }
        snprintf(path, sizeof(path), "%s/key", folder);
        return 0;
}

static int without_folder(void **state)
{
        unlink(path);
        buf_free(&error);
        return rmdir(folder); /* fails if something was left behind */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_missing_file_is_created_readable_by_its_owner_only),
            cmocka_unit_test(the_error_names_a_missing_file_that_must_not_be_created),
            cmocka_unit_test(concurrent_creations_agree),
            cmocka_unit_test(a_file_that_others_can_read_is_rejected),
            cmocka_unit_test(a_file_of_another_account_is_rejected),
            cmocka_unit_test(a_file_of_another_size_or_alphabet_is_rejected),
            cmocka_unit_test(non_files_are_rejected),
            cmocka_unit_test(a_folder_that_does_not_exist_is_named),
            cmocka_unit_test(derived_keys_are_hkdf_sha256),
            cmocka_unit_test(each_purpose_has_its_own_key),
        };
        return cmocka_run_group_tests(tests, with_folder, without_folder);
}
