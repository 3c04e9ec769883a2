/* Owns the disk that stands still. */
#include "base/testdata/slow_disk.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

ssize_t __real_pwrite64(int fd, const void *bytes, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t len, off_t at);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool stopped;
static int waiting;

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
        pthread_mutex_lock(&lock);
        waiting++;
        pthread_cond_broadcast(&changed);
        while (stopped) {
                pthread_cond_wait(&changed, &lock);
        }
        waiting--;
        pthread_mutex_unlock(&lock);
        return __real_pwrite64(fd, bytes, len, at);
}

static void set_stopped(bool stops)
{
        pthread_mutex_lock(&lock);
        stopped = stops;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
}

void slow_disk_stop(void)
{
        set_stopped(true);
}

void slow_disk_await(void)
{
        pthread_mutex_lock(&lock);
        while (waiting == 0) {
                pthread_cond_wait(&changed, &lock);
        }
        pthread_mutex_unlock(&lock);
}

void slow_disk_go_on(void)
{
        set_stopped(false);
}
