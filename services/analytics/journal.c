/* Owns the journal's files. A record is its length, its CRC-32 and its bytes. A writer or reader of a file holds its
 * lock (flock), which ends with the process. So a file that can be locked is not in use. */
#include "services/analytics/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>
#include "base/uuid.h"

#define FILE_BYTES   (4 << 20) /* at this size the next file begins */
#define RECORD_BYTES (8 << 20)
#define NAME_LEN     (UUID_SIZE - 1 + 4)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t synced = PTHREAD_COND_INITIALIZER;
static struct {
        char folder[400];
        int64_t max_bytes, bytes; /* bytes: of all files here as of the last check, plus what was appended since */
        int fd;                   /* of the file that is written; -1: none */
        int64_t size;
        uint64_t appended, durable, failed; /* record numbers: the last one appended, settled, and possibly lost */
        bool syncing;
} journal = {.fd = -1};

static bool is_file(const char *name)
{
        size_t len = strlen(name);
        return len == NAME_LEN && strcmp(name + len - 4, ".log") == 0;
}

static void count_bytes(void)
{
        DIR *folder = opendir(journal.folder);
        struct dirent *entry;
        struct stat file;

        if (folder == NULL) {
                return;
        }
        journal.bytes = 0;
        while ((entry = readdir(folder)) != NULL) {
                if (is_file(entry->d_name) && fstatat(dirfd(folder), entry->d_name, &file, 0) == 0) {
                        journal.bytes += file.st_size;
                }
        }
        closedir(folder);
}

bool journal_start(const char *folder, int64_t max_bytes)
{
        pthread_mutex_lock(&lock);
        (void)snprintf(journal.folder, sizeof(journal.folder), "%s", folder);
        journal.max_bytes = max_bytes;
        bool ok = mkdir(folder, 0700) == 0 || errno == EEXIST;
        count_bytes();
        pthread_mutex_unlock(&lock);
        return ok;
}

static void close_current(void)
{
        if (journal.fd >= 0) {
                close(journal.fd);
                journal.fd = -1;
        }
}

void journal_stop(void)
{
        pthread_mutex_lock(&lock);
        while (journal.syncing) {
                pthread_cond_wait(&synced, &lock);
        }
        close_current();
        pthread_mutex_unlock(&lock);
}

/* The name is durable before the first record is. */
static bool sync_folder(void)
{
        int folder = open(journal.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool ok = folder >= 0 && fsync(folder) == 0;

        if (folder >= 0) {
                close(folder);
        }
        return ok;
}

/* Until the file is locked, a reader may consider it unused and remove it. */
static bool open_current(void)
{
        char path[512], id[UUID_SIZE];
        struct stat file;

        for (int i = 0; i < 10 && journal.fd < 0; i++) {
                (void)snprintf(path, sizeof(path), "%s/%s.log", journal.folder, uuid_new(id));
                int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
                if (fd < 0) {
                        return false;
                }
                if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &file) == 0 && file.st_nlink == 1) {
                        journal.fd = fd;
                        journal.size = 0;
                } else {
                        close(fd);
                }
        }
        return journal.fd >= 0 && sync_folder();
}

/* Atomic: a partly written record is truncated again, or the file is abandoned. */
static bool write_record(const void *record, size_t len)
{
        uint32_t head[2] = {(uint32_t)len, (uint32_t)crc32(0, record, (uInt)len)};
        struct iovec parts[2] = {{head, sizeof(head)}, {(void *)record, len}};
        ssize_t whole = (ssize_t)(sizeof(head) + len);

        if (writev(journal.fd, parts, 2) == whole) {
                journal.size += whole;
                journal.bytes += whole;
                return true;
        }
        int error = errno;
        if (ftruncate(journal.fd, journal.size) != 0) {
                while (journal.syncing) {
                        pthread_cond_wait(&synced, &lock);
                }
                close_current();
        }
        errno = error;
        return false;
}

/* Records that were appended but not synced may be lost. Abandons the file, since the state of its pages is unknown,
 * and a second fsync would not report it. */
static void give_up(void)
{
        journal.failed = journal.durable = journal.appended;
        close_current();
}

/* One thread syncs for all records appended before it started. The file is not closed meanwhile. */
static bool wait_durable(uint64_t mine)
{
        while (journal.durable < mine) {
                if (journal.syncing) {
                        pthread_cond_wait(&synced, &lock);
                        continue;
                }
                uint64_t upto = journal.appended;
                int fd = journal.fd;

                journal.syncing = true;
                pthread_mutex_unlock(&lock);
                bool ok = fd >= 0 && fdatasync(fd) == 0;
                pthread_mutex_lock(&lock);
                journal.syncing = false;
                if (ok) {
                        journal.durable = upto;
                } else {
                        give_up();
                }
                pthread_cond_broadcast(&synced);
        }
        return mine > journal.failed;
}

enum journal_result journal_append(const void *record, size_t len)
{
        enum journal_result result = JOURNAL_BROKEN;

        pthread_mutex_lock(&lock);
        if (journal.bytes + (int64_t)len > journal.max_bytes) {
                result = JOURNAL_FULL;
        } else if ((journal.fd >= 0 || open_current()) && write_record(record, len)) {
                result = wait_durable(++journal.appended) ? JOURNAL_OK : JOURNAL_BROKEN;
        } else if (errno == ENOSPC || errno == EDQUOT) {
                result = JOURNAL_FULL;
        }
        if (journal.size >= FILE_BYTES && !journal.syncing && journal.durable == journal.appended) {
                close_current();
        }
        pthread_mutex_unlock(&lock);
        return result;
}

/* ---- Reading ---- */

static bool take_file(const char *name, struct journal_file *out)
{
        struct stat file;

        (void)snprintf(out->path, sizeof(out->path), "%s/%.*s", journal.folder, NAME_LEN, name);
        out->bytes = NULL;
        out->fd = open(out->path, O_RDONLY | O_CLOEXEC);
        if (out->fd < 0) {
                return false;
        }
        if (flock(out->fd, LOCK_EX | LOCK_NB) == 0 && fstat(out->fd, &file) == 0 && file.st_nlink == 1) {
                return true;
        }
        close(out->fd);
        return false;
}

static int is_entry(const struct dirent *entry)
{
        return is_file(entry->d_name) ? 1 : 0;
}

/* Names sort by time of creation (version 7 UUIDs). */
static bool take_oldest(struct journal_file *out)
{
        struct dirent **entries = NULL;
        int n = scandir(journal.folder, &entries, is_entry, alphasort);
        bool found = false;

        for (int i = 0; i < n; i++) {
                found = found || take_file(entries[i]->d_name, out);
                free(entries[i]);
        }
        free(entries);
        return found;
}

bool journal_take(struct journal_file *out)
{
        pthread_mutex_lock(&lock);
        while (journal.syncing || journal.durable < journal.appended) {
                pthread_cond_wait(&synced, &lock);
        }
        if (journal.size > 0) {
                close_current();
        }
        count_bytes();
        bool found = take_oldest(out);
        pthread_mutex_unlock(&lock);
        return found;
}

/* False also at the end (errno is 0), if there are fewer bytes. */
static bool read_whole(int fd, void *bytes, size_t len)
{
        errno = 0;
        for (size_t have = 0; have < len;) {
                ssize_t n = read(fd, (char *)bytes + have, len - have);
                if (n <= 0) {
                        return false;
                }
                have += (size_t)n;
        }
        return true;
}

/* A record truncated by a crash is the last one of its file. */
static enum journal_next judge_damage(int fd)
{
        struct stat file;
        off_t at = lseek(fd, 0, SEEK_CUR);

        if (at < 0 || fstat(fd, &file) != 0) {
                return JOURNAL_UNREAD;
        }
        return at < file.st_size ? JOURNAL_DAMAGED : JOURNAL_END;
}

enum journal_next journal_read(struct journal_file *file, const uint8_t **record, size_t *len)
{
        uint32_t head[2];

        free(file->bytes);
        file->bytes = NULL;
        if (!read_whole(file->fd, head, sizeof(head))) {
                return errno == 0 ? JOURNAL_END : JOURNAL_UNREAD;
        }
        if (head[0] > RECORD_BYTES) {
                return judge_damage(file->fd);
        }
        if ((file->bytes = malloc((size_t)head[0] + 1)) == NULL || !read_whole(file->fd, file->bytes, head[0])) {
                return errno == 0 ? JOURNAL_END : JOURNAL_UNREAD;
        }
        if ((uint32_t)crc32(0, file->bytes, head[0]) != head[1]) {
                return judge_damage(file->fd);
        }
        *record = file->bytes;
        *len = head[0];
        return JOURNAL_RECORD;
}

void journal_set_aside(struct journal_file *file)
{
        char bad[sizeof(file->path)];
        size_t stem = strlen(file->path) - strlen(".log");

        (void)snprintf(bad, sizeof(bad), "%.*s.bad", (int)stem, file->path);
        (void)rename(file->path, bad);
}

bool journal_release(struct journal_file *file, bool done)
{
        bool gone = done && unlink(file->path) == 0;

        free(file->bytes);
        close(file->fd);
        return gone;
}
