/* Whether this thread may wait. */
#include "base/no_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/stamps.h"

static __thread struct {
        bool forbidden, refused;
} waiting;

void no_wait_begin(void)
{
        waiting.forbidden = true;
        waiting.refused = false;
}

bool no_wait_end(void)
{
        bool refused = waiting.refused;

        waiting.forbidden = waiting.refused = false;
        return refused;
}

bool no_wait_refuses(void)
{
        stamps_spoil();
        waiting.refused |= waiting.forbidden;
        return waiting.forbidden;
}

bool no_wait_here(void)
{
        return waiting.forbidden;
}

bool no_wait_refused(void)
{
        return waiting.refused;
}

void no_wait_assert(const char *what)
{
        if (waiting.forbidden) {
                fprintf(stderr, "sonet: %s would block a thread that must not block\n", what);
                abort();
        }
}
