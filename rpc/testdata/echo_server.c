/* The echo service alone, for third-party clients: prints a JSON line with its port and a member's token, and serves
 * until end of file on standard input. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "rpc/testdata/wire.h"

int main(void)
{
        char byte;
        log_setup("echo", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        if (setup(NULL) != 0) {
                return 1;
        }
        echo_log_in(c, "write");
        printf("{\"port\": %d, \"token\": \"%s\"}\n", port(), c->bearer);
        fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0) {
        }
        return teardown(NULL);
}
