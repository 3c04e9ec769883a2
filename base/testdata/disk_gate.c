/* Owns whether a test's disk works. */
#include "base/testdata/disk_gate.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool closed;
static int waiting;

static void set_closed(bool closes)
{
        pthread_mutex_lock(&lock);
        closed = closes;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
}

void disk_gate_close(void)
{
        set_closed(true);
}

void disk_gate_open(void)
{
        set_closed(false);
}

void disk_gate_await(void)
{
        pthread_mutex_lock(&lock);
        while (waiting == 0) {
                pthread_cond_wait(&changed, &lock);
        }
        pthread_mutex_unlock(&lock);
}

bool disk_gate_is_closed(void)
{
        pthread_mutex_lock(&lock);
        bool is = closed;
        pthread_mutex_unlock(&lock);
        return is;
}

void disk_gate_pass(void)
{
        pthread_mutex_lock(&lock);
        while (closed) {
                waiting++;
                pthread_cond_broadcast(&changed);
                pthread_cond_wait(&changed, &lock);
                waiting--;
        }
        pthread_mutex_unlock(&lock);
}
