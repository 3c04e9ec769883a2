/* The master key: the key file that holds it, and everything derived from it. The master key itself is not kept,
 * only the pseudorandom key that HKDF (RFC 5869) extracts from it. */
#include "auth/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/base64url.h"
#include "base/clock.h"

enum {
        MASTER_BYTES = 32,
        TEXT_CHARS = BASE64URL_CHARS(MASTER_BYTES),
};
_Static_assert(KEYS_TEXT_SIZE == TEXT_CHARS + 1, "");

static uint8_t pseudorandom_key[crypto_auth_hmacsha256_BYTES];
static _Atomic uint64_t generation;

static void close_p(int *fd)
{
        if (*fd >= 0) {
                close(*fd);
        }
}

void keys_set_master(const uint8_t master[32])
{
        static const uint8_t salt[] = "sonet key file"; /* RFC 5869, 3.1: need not be secret */
        crypto_auth_hmacsha256_state state;
        if (sodium_init() < 0) {
                fputs("sonet: cannot initialise libsodium\n", stderr);
                abort();
        }
        crypto_auth_hmacsha256_init(&state, salt, sizeof(salt) - 1);
        crypto_auth_hmacsha256_update(&state, master, MASTER_BYTES);
        crypto_auth_hmacsha256_final(&state, pseudorandom_key);
        sodium_memzero(&state, sizeof(state));
        atomic_fetch_add(&generation, 1);
}

uint64_t keys_generation(void)
{
        return atomic_load_explicit(&generation, memory_order_acquire);
}

void keys_derive(const char *label, uint8_t out[32])
{
        static const uint8_t first_block = 1; /* 32 bytes are one block of HKDF-Expand */
        crypto_auth_hmacsha256_state state;
        if (keys_generation() == 0) {
                fprintf(stderr, "sonet: the key \"%s\" was requested before the key file was read\n", label);
                abort();
        }
        crypto_auth_hmacsha256_init(&state, pseudorandom_key, sizeof(pseudorandom_key));
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)label, strlen(label));
        crypto_auth_hmacsha256_update(&state, &first_block, 1);
        crypto_auth_hmacsha256_final(&state, out);
        sodium_memzero(&state, sizeof(state));
}

void keys_derive_text(const char *label, char out[44])
{
        uint8_t key[32];
        keys_derive(label, key);
        base64url_encode(key, sizeof(key), out);
        sodium_memzero(key, sizeof(key));
}

static sn_status fail_key_file(struct buf *error, const char *path, const char *sentence)
{
        buf_printf(error, "the key file %s %s", path, sentence);
        return SN_FAILED_PRECONDITION;
}

static sn_status refuse_errno(struct buf *error, const char *path, const char *what)
{
        buf_printf(error, "the key file %s cannot be %s: %s", path, what, strerror(errno));
        return SN_FAILED_PRECONDITION;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
        while (len > 0) {
                ssize_t n = write(fd, bytes, len);
                if (n < 0 && errno != EINTR) {
                        return false;
                }
                if (n > 0) {
                        bytes += n;
                        len -= (size_t)n;
                }
        }
        return true;
}

/* Reads at most size bytes; returns how many, or -1. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
        size_t len = 0;
        while (len < size) {
                ssize_t n = read(fd, bytes + len, size - len);
                if (n < 0 && errno != EINTR) {
                        return -1;
                }
                if (n == 0) {
                        break;
                }
                len += n > 0 ? (size_t)n : 0;
        }
        return (ssize_t)len;
}

/* Makes the file's name durable: otherwise the folder could lack the key after a crash of the machine. */
static bool sync_folder_of(const char *path)
{
        char copy[PATH_MAX];
        snprintf(copy, sizeof(copy), "%s", path);
        CLEANUP(close_p) int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
}

static bool write_new_key(int fd)
{
        uint8_t master[MASTER_BYTES];
        char text[TEXT_CHARS + 2];
        random_bytes(master, sizeof(master));
        base64url_encode(master, sizeof(master), text);
        text[TEXT_CHARS] = '\n';
        bool done = write_all(fd, text, TEXT_CHARS + 1) && fsync(fd) == 0;
        sodium_memzero(master, sizeof(master));
        sodium_memzero(text, sizeof(text));
        return done;
}

/* Writes a temporary file next to path, then links it to path: the key is there completely or not at all, and if two
 * processes create it at once, one wins and both read the same key. */
static sn_status create_key_file(const char *path, struct buf *error)
{
        char own[PATH_MAX];
        uint8_t nonce[8];
        char suffix[2 * sizeof(nonce) + 1];
        random_bytes(nonce, sizeof(nonce));
        sodium_bin2hex(suffix, sizeof(suffix), nonce, sizeof(nonce));
        int n = snprintf(own, sizeof(own), "%s.%s", path, suffix);
        if (n < 0 || (size_t)n >= sizeof(own)) {
                errno = ENAMETOOLONG;
                return refuse_errno(error, path, "created");
        }

        CLEANUP(close_p) int fd = open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
                return refuse_errno(error, path, "created");
        }
        bool made = write_new_key(fd) && (link(own, path) == 0 || errno == EEXIST) && sync_folder_of(path);
        int failure = errno;
        unlink(own);
        errno = failure;
        return made ? SN_OK : refuse_errno(error, path, "created");
}

static sn_status check_file(int fd, const char *path, struct buf *error)
{
        struct stat status;
        if (fstat(fd, &status) != 0) {
                return refuse_errno(error, path, "read");
        }
        if (S_ISDIR(status.st_mode)) {
                return fail_key_file(error, path, "is a folder; give the path of a file in it instead");
        }
        if (!S_ISREG(status.st_mode)) {
                return fail_key_file(error, path, "is not a regular file");
        }
        if (status.st_uid != geteuid()) { /* its owner could read and replace it; as root we would not notice */
                return fail_key_file(error, path, "belongs to another account; `chown` it to the one that runs SoNet");
        }
        if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
                return fail_key_file(error, path, "is readable by other users; restrict it with `chmod 600`");
        }
        return SN_OK;
}

static sn_status read_text(int fd, const char *path, char out[KEYS_TEXT_SIZE], struct buf *error)
{
        char text[TEXT_CHARS + 2]; /* with its line end, and one byte more to detect a longer file */
        uint8_t master[MASTER_BYTES];
        ssize_t n = read_all(fd, text, sizeof(text));
        if (n < 0) {
                return refuse_errno(error, path, "read");
        }
        size_t chars = n > 0 && text[n - 1] == '\n' ? (size_t)n - 1 : (size_t)n;
        size_t bytes = 0;
        bool good = chars == TEXT_CHARS && base64url_decode((struct str){text, chars}, master, MASTER_BYTES, &bytes) &&
                    bytes == MASTER_BYTES;
        if (good) {
                memcpy(out, text, TEXT_CHARS);
                out[TEXT_CHARS] = '\0';
        }
        sodium_memzero(master, sizeof(master));
        sodium_memzero(text, sizeof(text));
        return good ? SN_OK
                    : fail_key_file(error, path,
                                    "does not hold 32 bytes in base64url (43 characters); restore it from its copy");
}

sn_status keys_read(const char *path, char text[KEYS_TEXT_SIZE], struct buf *error)
{
        /* O_NONBLOCK: a FIFO in its place must not block the start. */
        CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT) {
                return fail_key_file(error, path,
                                     "does not exist; `sonet up` creates one, and other machines need a copy of it");
        }
        if (fd < 0) {
                return refuse_errno(error, path, "read");
        }
        TRY(check_file(fd, path, error));
        return read_text(fd, path, text, error);
}

sn_status keys_load(const char *path, int may_create, struct buf *error)
{
        char text[KEYS_TEXT_SIZE];
        uint8_t master[MASTER_BYTES];
        size_t bytes = 0;
        if (may_create && access(path, F_OK) != 0 && errno == ENOENT) {
                TRY(create_key_file(path, error));
        }
        TRY(keys_read(path, text, error));
        (void)base64url_decode((struct str){text, TEXT_CHARS}, master, sizeof(master), &bytes);
        keys_set_master(master);
        sodium_memzero(master, sizeof(master));
        sodium_memzero(text, sizeof(text));
        return SN_OK;
}
