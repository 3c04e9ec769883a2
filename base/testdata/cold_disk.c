/* Owns the disk that gives nothing. */
#include "base/testdata/cold_disk.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

ssize_t __real_pread64(int fd, void *bytes, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t at);
ssize_t __real_preadv64v2(int fd, const struct iovec *pieces, int n, off_t at, int flags);
ssize_t __wrap_preadv64v2(int fd, const struct iovec *pieces, int n, off_t at, int flags);
ssize_t __real_sendfile64(int to, int from, off_t *at, size_t len);
ssize_t __wrap_sendfile64(int to, int from, off_t *at, size_t len);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool stopped;
static int waiting;

static void wait_for_disk(void)
{
        pthread_mutex_lock(&lock);
        waiting++;
        pthread_cond_broadcast(&changed);
        while (stopped) {
                pthread_cond_wait(&changed, &lock);
        }
        waiting--;
        pthread_mutex_unlock(&lock);
}

static bool is_stopped(void)
{
        pthread_mutex_lock(&lock);
        bool is = stopped;
        pthread_mutex_unlock(&lock);
        return is;
}

ssize_t __wrap_pread64(int fd, void *bytes, size_t len, off_t at)
{
        wait_for_disk();
        return __real_pread64(fd, bytes, len, at);
}

ssize_t __wrap_preadv64v2(int fd, const struct iovec *pieces, int n, off_t at, int flags)
{
        if ((flags & RWF_NOWAIT) != 0 && is_stopped()) {
                errno = EAGAIN;
                return -1;
        }
        return __real_preadv64v2(fd, pieces, n, at, flags);
}

ssize_t __wrap_sendfile64(int to, int from, off_t *at, size_t len)
{
        wait_for_disk();
        return __real_sendfile64(to, from, at, len);
}

static void set_stopped(bool stops)
{
        pthread_mutex_lock(&lock);
        stopped = stops;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
}

void cold_disk_stop(void)
{
        set_stopped(true);
}

void cold_disk_await(void)
{
        pthread_mutex_lock(&lock);
        while (waiting == 0) {
                pthread_cond_wait(&changed, &lock);
        }
        pthread_mutex_unlock(&lock);
}

void cold_disk_go_on(void)
{
        set_stopped(false);
}
