/* Owns the list of threads that have read. Each counts its reads in a record of its own, odd during a read, so that
 * readers write no memory that another thread writes. Records are reused by later threads, and never freed. */
#include "cache/readers.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
        _Alignas(64) atomic_uint_least64_t reads;
        atomic_bool taken;
        struct reader *next;
};

static _Atomic(struct reader *) all;
static __thread struct reader *own;
static pthread_key_t key; /* for its destructor, which runs when a thread ends */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void give_back(void *reader)
{
        own = NULL;
        atomic_store(&((struct reader *)reader)->taken, false);
}

static void make_key(void)
{
        if (pthread_key_create(&key, give_back) != 0) {
                abort();
        }
}

static struct reader *take_free(void)
{
        for (struct reader *r = atomic_load(&all); r != NULL; r = r->next) {
                if (!atomic_exchange(&r->taken, true)) {
                        return r;
                }
        }
        return NULL;
}

static struct reader *add_new(void)
{
        struct reader *r = aligned_alloc(_Alignof(struct reader), sizeof(*r));

        if (r == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        atomic_init(&r->reads, 0);
        atomic_init(&r->taken, true);
        r->next = atomic_load(&all);
        while (!atomic_compare_exchange_weak(&all, &r->next, r)) {
        }
        return r;
}

static void register_thread(void)
{
        pthread_once(&once, make_key);
        own = take_free();
        if (own == NULL) {
                own = add_new();
        }
        if (pthread_setspecific(key, own) != 0) {
                abort();
        }
}

void readers_enter(void)
{
        if (own == NULL) {
                register_thread();
        }
        atomic_fetch_add(&own->reads, 1);
}

void readers_leave(void)
{
        atomic_store_explicit(&own->reads, atomic_load_explicit(&own->reads, memory_order_relaxed) + 1,
                              memory_order_release);
}

void readers_wait(void)
{
        for (struct reader *r = atomic_load(&all); r != NULL; r = r->next) {
                uint_least64_t reads = atomic_load(&r->reads);

                while (reads % 2 == 1 && atomic_load(&r->reads) == reads) {
                        sched_yield();
                }
        }
}
