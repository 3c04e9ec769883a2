/* Owns the cache of descriptors of popular public files. */
#include "services/media/served.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"

enum {
        SLOTS = 256, /* and at most as many descriptors; files with the same slot replace each other */
        HOLD_US = 1000000,
        BYTES_MAX = 4 << 20, /* a removed file occupies disk space while it is open */
        KEY_SIZE = 64,
        SHA256_SIZE = 65,
        TYPE_SIZE = 64,
};

struct slot {
        char key[KEY_SIZE]; /* "" if empty */
        char sha256[SHA256_SIZE], mime_type[TYPE_SIZE];
        int fd;
        int64_t until_us;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS];
static uint64_t version;

/* False if the key would be too long to cache. */
static bool make_key(const char *id, const char *variant, char key[KEY_SIZE])
{
        return snprintf(key, KEY_SIZE, "%s/%s", id, variant) < KEY_SIZE;
}

/* FNV-1a. */
static struct slot *slot_of(const char *key)
{
        uint32_t hash = 2166136261U;

        for (; *key != '\0'; key++) {
                hash = (hash ^ (uint8_t)*key) * 16777619U;
        }
        return &slots[hash % SLOTS];
}

static void empty_slot(struct slot *s)
{
        if (s->key[0] != '\0') {
                close(s->fd);
                s->key[0] = '\0';
        }
}

static void empty_older(int64_t than_us)
{
        for (size_t i = 0; i < SLOTS; i++) {
                if (slots[i].until_us <= than_us) {
                        empty_slot(&slots[i]);
                }
        }
}

bool served_find(struct rpc_call *c, const char *id, const char *variant, struct served *out, int *fd)
{
        char key[KEY_SIZE];

        if (!make_key(id, variant, key)) {
                return false;
        }
        *fd = -1;
        (void)pthread_mutex_lock(&lock);
        const struct slot *s = slot_of(key);
        if (strcmp(s->key, key) == 0 && clock_monotonic_us() < s->until_us) {
                *out = (struct served){arena_strdup(c->arena, s->sha256), arena_strdup(c->arena, s->mime_type), true};
                *fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
        }
        (void)pthread_mutex_unlock(&lock);
        return *fd >= 0;
}

uint64_t served_version(void)
{
        (void)pthread_mutex_lock(&lock);
        uint64_t now = version;
        (void)pthread_mutex_unlock(&lock);
        return now;
}

static bool is_kept(const struct served *file, int fd)
{
        struct stat is;

        return file->is_public && strlen(file->sha256) < SHA256_SIZE && strlen(file->mime_type) < TYPE_SIZE &&
               fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_size <= BYTES_MAX;
}

static void fill_slot(struct slot *s, const char *key, const struct served *file, int fd)
{
        empty_slot(s);
        s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (s->fd >= 0) {
                (void)snprintf(s->key, sizeof(s->key), "%s", key);
                (void)snprintf(s->sha256, sizeof(s->sha256), "%s", file->sha256);
                (void)snprintf(s->mime_type, sizeof(s->mime_type), "%s", file->mime_type);
                s->until_us = clock_monotonic_us() + HOLD_US;
        }
}

void served_keep(uint64_t looked_up, const char *id, const char *variant, const struct served *file, int fd)
{
        char key[KEY_SIZE];

        if (!make_key(id, variant, key) || !is_kept(file, fd)) {
                return;
        }
        (void)pthread_mutex_lock(&lock);
        empty_older(clock_monotonic_us());
        if (looked_up == version) {
                fill_slot(slot_of(key), key, file, fd);
        }
        (void)pthread_mutex_unlock(&lock);
}

static void forget_all(void *unused)
{
        (void)unused;
        (void)pthread_mutex_lock(&lock);
        version++;
        empty_older(INT64_MAX);
        (void)pthread_mutex_unlock(&lock);
}

void served_forget(struct db_tx *tx)
{
        db_on_end(tx, forget_all, NULL);
}
