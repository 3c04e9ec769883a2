/* For tests of what is keyed by a network's key file: each starts with the same key, and has an arena. */
#ifndef SERVICES_USER_TEST_KEYS_H
#define SERVICES_USER_TEST_KEYS_H

#include <stdint.h>
#include "auth/keys.h"
#include "base/arena.h"

static struct arena *arena;

static int setup(void **state)
{
        static const uint8_t master[32] = {42};

        (void)state;
        keys_set_master(master);
        arena = arena_new(1 << 20);
        return arena == NULL;
}

static int teardown(void **state)
{
        (void)state;
        arena_free(arena);
        return 0;
}

#endif
