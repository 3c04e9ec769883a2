/* For tests that are servers: a socket that listens on 127.0.0.1, and writing to those who connect. */
#ifndef BASE_TEST_LOOPBACK_H
#define BASE_TEST_LOOPBACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

/* On a free port. */
static inline int test_listen(int *port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
        assert_int_equal(listen(fd, 64), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
        *port = ntohs(address.sin_port);
        return fd;
}

/* False once the other end has closed; SIGPIPE must be ignored. */
static inline bool test_write_all(int fd, const char *bytes, size_t len)
{
        for (size_t done = 0; done < len;) {
                ssize_t n = write(fd, bytes + done, len - done);

                if (n <= 0) {
                        return false;
                }
                done += (size_t)n;
        }
        return true;
}

#endif
