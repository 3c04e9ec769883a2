/* Owns starting the decoding child, waiting for it, and reading its answer. */
#include "services/media/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/spool.h"

enum { SAID_BYTES = 4096, LOWEST_FD = 16 };

/* --- files --- */

static void close_one(int fd)
{
        if (fd >= 0) {
                close(fd);
        }
}

static void close_files(void *context)
{
        struct decoded *d = context;
        for (int i = 0; i < DECODE_N_OUTPUTS; i++) {
                close_one(d->files[i].fd);
        }
}

/* Duplicates a descriptor above those that the child uses. */
static int move_up(int fd)
{
        int higher = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, LOWEST_FD) : -1;
        close_one(fd);
        return higher;
}

static bool open_files(struct decoded *d)
{
        bool ok = true;
        for (int i = 0; i < DECODE_N_OUTPUTS; i++) {
                d->files[i].fd = move_up(spool_open_unnamed());
                ok = ok && d->files[i].fd >= 0;
        }
        return ok;
}

/* --- the child --- */

struct child {
        pid_t pid;
        int said; /* its standard output */
};

/* The child's numbers are below these, so that no descriptor is overwritten before it was moved. It gets no others,
 * even if a library of this process left one open without close-on-exec. */
static bool add_fds(posix_spawn_file_actions_t *actions, int in, int out, const struct decoded *d)
{
        bool ok = posix_spawn_file_actions_adddup2(actions, in, 0) == 0 &&
                  posix_spawn_file_actions_adddup2(actions, out, 1) == 0 &&
                  posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0) == 0;
        for (int i = 0; i < DECODE_N_OUTPUTS; i++) {
                ok = ok && posix_spawn_file_actions_adddup2(actions, d->files[i].fd, DECODE_FIRST_FD + i) == 0;
        }
        return ok && posix_spawn_file_actions_addclosefrom_np(actions, DECODE_FIRST_FD + DECODE_N_OUTPUTS) == 0;
}

static bool spawn(int in, int out, const struct decoded *d, char *const *arguments, pid_t *pid)
{
        static char *const environment[] = {"PATH=/usr/bin:/bin", "VIPS_CONCURRENCY=1", "VIPS_NOVECTOR=1",
                                            "MALLOC_ARENA_MAX=1", "LC_ALL=C",           NULL};
        posix_spawn_file_actions_t actions;

        if (posix_spawn_file_actions_init(&actions) != 0) {
                return false;
        }
        bool ok = add_fds(&actions, in, out, d) &&
                  posix_spawn(pid, "/proc/self/exe", &actions, NULL, arguments, environment) == 0;
        (void)posix_spawn_file_actions_destroy(&actions);
        return ok;
}

static bool start(struct rpc_call *c, const struct decode_request *r, const struct decoded *d, struct child *child)
{
        char *arguments[] = {"sonet",
                             DECODE_COMMAND,
                             (char *)r->mime_type,
                             arena_printf(c->arena, "%d", (int)r->focus_x),
                             arena_printf(c->arena, "%d", (int)r->focus_y),
                             NULL};
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) != 0) {
                return false;
        }
        int out = move_up(ends[1]), from = fcntl(r->fd, F_DUPFD_CLOEXEC, LOWEST_FD);
        bool ok = out >= 0 && from >= 0 && spawn(from, out, d, arguments, &child->pid);
        close_one(out);
        close_one(from);
        child->said = ends[0];
        if (!ok) {
                close(ends[0]);
        }
        return ok;
}

/* False: until_us has passed. */
static bool wait_readable(int fd, int64_t until_us)
{
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        for (;;) {
                int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;
                if (left_ms <= 0) {
                        return false;
                }
                if (poll(&ready, 1, (int)left_ms) > 0) {
                        return true;
                }
        }
}

/* Until it closes its output; false: it took too long. */
static bool listen_to(const struct child *child, int64_t until_us, char said[SAID_BYTES])
{
        size_t len = 0;

        while (wait_readable(child->said, until_us)) {
                ssize_t n = read(child->said, said + len, SAID_BYTES - 1 - len);
                if (n == 0 || (n < 0 && errno != EINTR)) {
                        said[len] = '\0';
                        return true;
                }
                len += n > 0 ? (size_t)n : 0;
        }
        return false;
}

/* A child that has closed its output may still run for ever: it must exit by the same time. */
static bool ends_by(const struct child *child, int64_t until_us)
{
        int ended = pidfd_open(child->pid, 0);
        bool in_time = ended >= 0 && wait_readable(ended, until_us);

        close_one(ended);
        return in_time;
}

static int end(const struct child *child, bool in_time)
{
        int status = 0;

        if (!in_time) {
                (void)kill(child->pid, SIGKILL);
        }
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
        }
        close(child->said);
        return status;
}

/* --- what it says --- */

static void read_line(const char *line, struct decoded *out, bool *done)
{
        int which = 0, width = 0, height = 0;

        if (sscanf(line, "file %d %d %d", &which, &width, &height) == 3 && which >= 0 && which < DECODE_N_OUTPUTS) {
                out->files[which].width = width;
                out->files[which].height = height;
        }
        (void)sscanf(line, "size %d %d", &out->width, &out->height);
        (void)sscanf(line, "blurhash %63s", out->blurhash);
        (void)sscanf(line, "color %7s", out->dominant_color);
        (void)sscanf(line, "phash %16[0-9a-f]", out->perceptual_hash);
        (void)sscanf(line, "reason %99[^\n]", out->reason);
        *done = *done || strcmp(line, "done") == 0;
}

static bool read_said(struct rpc_call *c, const char *said, struct decoded *out)
{
        struct str rest = str_of(said), line;
        bool done = false;

        while (str_next(&rest, '\n', &line)) {
                read_line(str_dup(c->arena, line), out, &done);
        }
        return done || out->reason[0] != '\0';
}

static void set_reason(struct decoded *out, const char *reason)
{
        (void)snprintf(out->reason, sizeof(out->reason), "%s", reason);
}

static sn_status set_outcome(struct rpc_call *c, bool in_time, int status, const char *said, struct decoded *out)
{
        if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == 2) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the picture decoder could not start: is libvips installed?");
        }
        if (!in_time) {
                set_reason(out, "it takes too long to read");
        } else if (!read_said(c, said, out) || !WIFEXITED(status)) {
                set_reason(out, "it cannot be read safely");
        }
        return SN_OK;
}

sn_status decode_picture(struct rpc_call *c, const struct decode_request *r, struct decoded *out)
{
        char said[SAID_BYTES] = "";
        struct child child;

        CALL_ASSERT_NO_TRANSACTION(c);
        *out = (struct decoded){0};
        bool opened = open_files(out);
        arena_defer(c->arena, close_files, out);
        if (!opened || !start(c, r, out, &child)) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the picture decoder could not be started: %s",
                                strerror(errno));
        }
        int64_t until_us = clock_monotonic_us() + r->wait_ms * INT64_C(1000);
        bool in_time = listen_to(&child, until_us, said) && ends_by(&child, until_us);
        return set_outcome(c, in_time, end(&child, in_time), said, out);
}
