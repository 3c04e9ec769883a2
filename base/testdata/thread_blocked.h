/* For tests in which one thread must wait before another goes on: waits until a thread of this process is blocked,
 * which it says by storing gettid() just before the call that blocks. */
#ifndef BASE_TESTDATA_THREAD_BLOCKED_H
#define BASE_TESTDATA_THREAD_BLOCKED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"

/* proc(5): the state of a thread follows its name, which is in parentheses; S: it sleeps until something happens. */
static inline bool thread_is_blocked(int tid)
{
        char path[64], text[256] = "";
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
        file = fopen(path, "re");
        if (file == NULL) {
                return false;
        }
        (void)fread(text, 1, sizeof(text) - 1, file);
        (void)fclose(file);
        const char *name_end = strrchr(text, ')');
        return name_end != NULL && name_end[1] == ' ' && name_end[2] == 'S';
}

static inline void thread_await_blocked(const atomic_int *tid)
{
        while (atomic_load(tid) == 0 || !thread_is_blocked(atomic_load(tid))) {
                clock_sleep_ms(1);
        }
}

#endif
