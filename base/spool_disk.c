/* Owns a spool's file, on a thread that may wait for the disk. */
#include "base/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
        LOOK_BYTES = 16 << 20,
        PARTS_MAX = 64,
        STEP_BYTES = 2 << 20,  /* written back at a time, so that the disk works while the rest arrives, */
        DIRTY_BYTES = 8 << 20, /* and at most this much at once: plus a step it is all that is dirty in the kernel */
        DIRECT_FILE_BYTES = 8 << 20, /* at least, for direct I/O, */
        DIRECT_BYTES = 128 << 10,    /* in writes of at least this size */
};

static atomic_int_least64_t since_look; /* bytes written to all files since the free space was checked */

/* Not every file system supports unnamed files (overlayfs of older kernels does not). */
int spool_open_unnamed(void)
{
        const char *in = spool_folder();
        char path[SPOOL_FOLDER_BYTES + 32];
        int fd = open(in, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) {
                return fd;
        }
        (void)snprintf(path, sizeof(path), "%s/.sonet-spool-XXXXXX", in);
        fd = mkostemp(path, O_CLOEXEC);
        if (fd >= 0) {
                (void)unlink(path);
        }
        return fd;
}

bool spool_has_room(int fd, int64_t more)
{
        struct statvfs disk;

        return fstatvfs(fd, &disk) != 0 ||
               (int64_t)disk.f_bavail * (int64_t)disk.f_frsize >= spool_options.free_bytes + more;
}

static enum spool_result result_of(int error)
{
        bool full = error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE;

        errno = error;
        return full ? SPOOL_FULL : SPOOL_BROKEN;
}

static enum spool_result open_file(struct spool_file *file)
{
        file->fd = spool_open_unnamed();
        if (file->fd < 0) {
                return result_of(errno);
        }
        return spool_has_room(file->fd, file->expected) ? SPOOL_OK : result_of(ENOSPC);
}

bool spool_write_all(int fd, const void *given, size_t len, int64_t at)
{
        const char *bytes = given;

        while (len > 0) {
                ssize_t n = pwrite(fd, bytes, len, at);

                if (n < 0 && errno != EINTR) {
                        return false;
                }
                bytes += n > 0 ? n : 0;
                len -= n > 0 ? (size_t)n : 0;
                at += n > 0 ? n : 0;
        }
        return true;
}

/* Otherwise the kernel would hold back all of it and then stall every writer, the database included. File systems
 * without support for this ignore it. */
static void bound_dirty(struct spool_file *file)
{
        while (file->size - file->begun >= STEP_BYTES) {
                (void)sync_file_range(file->fd, file->begun, STEP_BYTES, SYNC_FILE_RANGE_WRITE);
                file->begun += STEP_BYTES;
                if (file->begun - file->synced > DIRTY_BYTES) {
                        (void)sync_file_range(file->fd, file->synced, STEP_BYTES,
                                              SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                                  SYNC_FILE_RANGE_WAIT_AFTER);
                        file->synced += STEP_BYTES;
                }
        }
}

/* False: the disk is full; the next writer checks again, too. */
static bool look_at_disk(const struct spool_file *file, size_t len)
{
        if (atomic_fetch_add(&since_look, (int64_t)len) + (int64_t)len >= LOOK_BYTES) {
                if (!spool_has_room(file->fd, 0)) {
                        return false;
                }
                atomic_store(&since_look, 0);
        }
        return true;
}

static void set_direct(struct spool_file *file, bool direct)
{
        if (direct != file->direct) {
                bool is_set = fcntl(file->fd, F_SETFL, direct ? O_DIRECT : 0) == 0;

                file->direct = is_set && direct;
                file->never_direct = file->never_direct || !is_set;
        }
}

/* Past the page cache a large file needs half the processor time, and leaves the memory to what is read again. All
 * blocks of a direct write are full, so the last ones of a file, and the first ones, which are soon read again, are
 * not. */
static void choose_direct(struct spool_file *file, const struct spool_blocks *blocks)
{
        set_direct(file, !file->never_direct && file->expected >= DIRECT_FILE_BYTES && file->size > 0 &&
                             blocks->bytes >= DIRECT_BYTES &&
                             (file->size | (int64_t)blocks->bytes) % SPOOL_BLOCK_BYTES == 0);
}

void spool_file_rewind(struct spool_file *file)
{
        set_direct(file, false);
        (void)lseek(file->fd, 0, SEEK_SET);
}

/* After a direct write that failed or was short. */
static void give_up_direct(struct spool_file *file)
{
        set_direct(file, false);
        file->never_direct = true;
}

/* Writes as many blocks as one call takes; *next is the one after them. If the call writes less, the rest is written
 * separately. */
static bool write_some(struct spool_file *file, const struct spool_block *first, const struct spool_block **next)
{
        int64_t at = file->size;
        struct iovec parts[PARTS_MAX];
        int n = 0;

        *next = first;
        for (; *next != NULL && n < PARTS_MAX; *next = (*next)->next) {
                parts[n++] = (struct iovec){(void *)(uintptr_t)(*next)->bytes, (*next)->len};
        }
        ssize_t written = pwritev(file->fd, parts, n, at);
        size_t left = written > 0 ? (size_t)written : 0;

        if (written < 0 && errno != EINTR && !file->direct) {
                return false;
        }
        if (file->direct && left < (size_t)n * SPOOL_BLOCK_BYTES) {
                give_up_direct(file);
        }
        for (int i = 0; i < n; at += (int64_t)parts[i++].iov_len) {
                size_t done = left < parts[i].iov_len ? left : parts[i].iov_len;

                left -= done;
                if (!spool_write_all(file->fd, (char *)parts[i].iov_base + done, parts[i].iov_len - done,
                                     at + (int64_t)done)) {
                        return false;
                }
        }
        return true;
}

static bool write_blocks(struct spool_file *file, const struct spool_blocks *blocks)
{
        for (const struct spool_block *block = blocks->first, *next; block != NULL; block = next) {
                if (!write_some(file, block, &next)) {
                        return false;
                }
                for (; block != next; block = block->next) {
                        file->size += (int64_t)block->len;
                }
        }
        return true;
}

bool spool_file_hash(struct spool_file *file, const struct spool_blocks *blocks)
{
        for (const struct spool_block *block = blocks->first; block != NULL; block = block->next) {
                if (EVP_DigestUpdate(file->hash, block->bytes, block->len) != 1) {
                        errno = ENOMEM;
                        return false;
                }
        }
        return true;
}

enum spool_result spool_file_write(struct spool_file *file, const struct spool_blocks *blocks)
{
        enum spool_result result = file->fd < 0 ? open_file(file) : SPOOL_OK;

        if (result != SPOOL_OK) {
                return result;
        }
        if (!look_at_disk(file, blocks->bytes)) {
                return result_of(ENOSPC);
        }
        choose_direct(file, blocks);
        if (!write_blocks(file, blocks)) {
                return result_of(errno);
        }
        bound_dirty(file);
        return SPOOL_OK;
}
