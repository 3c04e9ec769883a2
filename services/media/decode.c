/* Owns starting the decoding child, waiting for it, and parsing its output. */
#include "services/media/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/spool.h"
#include "services/media/sandbox.h"

enum { SAID_BYTES = 4096, LOWEST_FD = 16, ASK_MS = 1000, ABILITIES_MS = 10000 };

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
        int said; /* reads its standard output */
};

/* The child's descriptors have lower numbers than these, so none is overwritten before it is duplicated. The child gets
 * no others, even if a library of this process opened one without close-on-exec. */
static bool add_fds(posix_spawn_file_actions_t *actions, int in, int out, const struct decoded *d)
{
        bool ok = posix_spawn_file_actions_adddup2(actions, in, 0) == 0 &&
                  posix_spawn_file_actions_adddup2(actions, out, 1) == 0 &&
                  posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0) == 0;
        for (int i = 0; i < DECODE_N_OUTPUTS; i++) {
                ok = ok && (d->files[i].fd < 0 ||
                            posix_spawn_file_actions_adddup2(actions, d->files[i].fd, DECODE_FIRST_FD + i) == 0);
        }
        return ok && posix_spawn_file_actions_addclosefrom_np(actions, DECODE_FIRST_FD + DECODE_N_OUTPUTS) == 0;
}

/* The thread sanitizer does not see how libraries that are built without it synchronise, and its reports need a program
 * that the sandbox does not let it start. */
#define SANITIZER_OPTIONS (SANDBOX_SANITIZED ? "TSAN_OPTIONS=report_bugs=0" : NULL)

static bool spawn(int in, int out, const struct decoded *d, char *const *arguments, pid_t *pid)
{
        static char *const environment[] = {"PATH=/usr/bin:/bin",
                                            "VIPS_CONCURRENCY=1",
                                            "VIPS_NOVECTOR=1",
                                            "MALLOC_ARENA_MAX=1",
                                            "LC_ALL=C",
                                            SANITIZER_OPTIONS,
                                            NULL};
        posix_spawn_file_actions_t actions;

        if (posix_spawn_file_actions_init(&actions) != 0) {
                return false;
        }
        bool ok = add_fds(&actions, in, out, d) &&
                  posix_spawn(pid, "/proc/self/exe", &actions, NULL, arguments, environment) == 0;
        (void)posix_spawn_file_actions_destroy(&actions);
        return ok;
}

static char *number(struct rpc_call *c, int value)
{
        return arena_printf(c->arena, "%d", value);
}

static bool start_child(struct rpc_call *c, const struct decode_request *r, const struct decoded *d,
                        struct child *child)
{
        char *arguments[] = {"sonet",
                             DECODE_COMMAND,
                             (char *)r->mime_type,
                             number(c, (int)r->focus_x),
                             number(c, (int)r->focus_y),
                             number(c, r->limits.cpu_s),
                             number(c, r->limits.video_s),
                             number(c, r->limits.audio_s),
                             number(c, r->limits.side),
                             number(c, r->limits.video_side),
                             (char *)r->limits.decoders,
                             number(c, r->limits.avif),
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

/* Parses "NAME 1 2 3". Returns how many numbers from 0 to most follow, at most max; 0 if the line has another name. */
static size_t read_numbers(const char *line, const char *name, long most, long *out, size_t max)
{
        size_t n = 0, len = strlen(name);
        const char *at = line + len;
        char *end = NULL;

        if (strncmp(line, name, len) != 0) {
                return 0;
        }
        for (; *at == ' ' && n < max; at = end) {
                long value = strtol(at, &end, 10);

                if (end == at || value < 0 || value > most) {
                        break;
                }
                out[n++] = value;
        }
        return n;
}

/* How waiting for a child ended. */
enum waited { WAITED_ENOUGH, WAITED_TOO_LONG, WAITED_IN_VAIN /* goes_on returned false */ };

struct waiting {
        const struct decode_request *request;
        int64_t until_us;
};

static enum waited wait_readable(int fd, const struct waiting *w)
{
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        for (;;) {
                int64_t left_ms = (w->until_us - clock_monotonic_us()) / 1000;
                if (left_ms <= 0) {
                        return WAITED_TOO_LONG;
                }
                int n = poll(&ready, 1, left_ms < ASK_MS ? (int)left_ms : ASK_MS);
                if (n > 0) {
                        return WAITED_ENOUGH;
                }
                if (n == 0 && w->request->goes_on != NULL && !w->request->goes_on(w->request->context)) {
                        return WAITED_IN_VAIN;
                }
        }
}

/* Reads the percent of the last whole line "progress N"; 0 if there is none. */
static int read_progress(const char *said)
{
        const char *line = said, *end = NULL;
        long percent = 0;

        for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
                (void)read_numbers(line, "progress", 99, &percent, 1);
        }
        return (int)percent;
}

static void report_progress(const struct decode_request *r, const char *said, int *reported)
{
        int percent = read_progress(said);

        if (percent > *reported && r->progressed != NULL) {
                *reported = percent;
                r->progressed(r->context, percent);
        }
}

/* Reads its output until it closes it. */
static enum waited listen_to(const struct child *child, const struct waiting *w, char said[SAID_BYTES])
{
        enum waited waited;
        size_t len = 0;
        int reported = 0;

        while ((waited = wait_readable(child->said, w)) == WAITED_ENOUGH) {
                ssize_t n = read(child->said, said + len, SAID_BYTES - 1 - len);
                if (n == 0 || (n < 0 && errno != EINTR)) {
                        said[len] = '\0';
                        break;
                }
                len += n > 0 ? (size_t)n : 0;
                said[len] = '\0';
                report_progress(w->request, said, &reported);
        }
        return waited;
}

/* A child that closed its output could still run forever, so it must exit by the same deadline. */
static enum waited wait_for_end(const struct child *child, const struct waiting *w)
{
        int ended = pidfd_open(child->pid, 0);
        enum waited waited = ended >= 0 ? wait_readable(ended, w) : WAITED_TOO_LONG;

        close_one(ended);
        return waited;
}

static int end_child(const struct child *child, bool by_itself)
{
        int status = 0;

        if (!by_itself) {
                (void)kill(child->pid, SIGKILL);
        }
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
        }
        close(child->said);
        return status;
}

/* --- parsing its output --- */

static void read_sizes(const char *line, struct decoded *out)
{
        long n[3];

        if (read_numbers(line, "file", INT_MAX, n, 3) == 3 && n[0] < DECODE_N_OUTPUTS) {
                out->files[n[0]].width = (int)n[1];
                out->files[n[0]].height = (int)n[2];
        }
        if (read_numbers(line, "size", INT_MAX, n, 2) == 2) {
                out->width = (int)n[0];
                out->height = (int)n[1];
        }
        if (read_numbers(line, "duration", LONG_MAX, n, 1) == 1) {
                out->duration_ms = n[0];
        }
}

static void read_waveform(const char *line, struct decoded *out)
{
        long n[DECODE_WAVEFORM];
        size_t n_read = read_numbers(line, "waveform", 100, n, DECODE_WAVEFORM);

        for (size_t i = 0; i < n_read; i++) {
                out->waveform[i] = n[i];
        }
        out->n_waveform = n_read > 0 ? n_read : out->n_waveform;
}

static void read_line(const char *line, struct decoded *out, bool *done)
{
        read_sizes(line, out);
        read_waveform(line, out);
        (void)sscanf(line, "blurhash %63s", out->blurhash);
        (void)sscanf(line, "color %7s", out->dominant_color);
        (void)sscanf(line, "phash %16[0-9a-f]", out->perceptual_hash);
        (void)sscanf(line, "reason %99[^\n]", out->reason);
        out->is_sound = out->is_sound || strcmp(line, "sound") == 0;
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

static sn_status set_outcome(struct rpc_call *c, enum waited waited, int status, const char *said, struct decoded *out)
{
        if (waited == WAITED_IN_VAIN) {
                return rpc_fail(c, SN_CANCELLED, NULL, "the decoder was stopped");
        }
        if (waited == WAITED_ENOUGH && WIFEXITED(status) && WEXITSTATUS(status) == 2) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL,
                                "the decoder could not start; are libvips and FFmpeg's libraries installed?");
        }
        if (waited == WAITED_TOO_LONG) {
                set_reason(out, "it takes too long to read");
        } else if (!read_said(c, said, out) || !WIFEXITED(status)) {
                set_reason(out, "it cannot be read safely");
        }
        return SN_OK;
}

/* Starts the child, and waits until it has exited or was killed. */
static sn_status run_child(struct rpc_call *c, const struct decode_request *r, const struct decoded *d,
                           char said[SAID_BYTES], enum waited *waited, int *status)
{
        struct child child;

        if (!start_child(c, r, d, &child)) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the decoder could not be started: %s", strerror(errno));
        }
        const struct waiting w = {r, clock_monotonic_us() + r->wait_ms * INT64_C(1000)};
        *waited = listen_to(&child, &w, said);
        *waited = *waited == WAITED_ENOUGH ? wait_for_end(&child, &w) : *waited;
        *status = end_child(&child, *waited == WAITED_ENOUGH);
        return SN_OK;
}

sn_status decode(struct rpc_call *c, const struct decode_request *r, struct decoded *out)
{
        char said[SAID_BYTES] = "";
        enum waited waited = WAITED_ENOUGH;
        int status = 0;

        CALL_ASSERT_NO_TRANSACTION(c);
        *out = (struct decoded){0};
        bool opened = open_files(out);
        arena_defer(c->arena, close_files, out);
        if (!opened) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "cannot create a file for the results of decoding: %s",
                                strerror(errno));
        }
        TRY(run_child(c, r, out, said, &waited, &status));
        return set_outcome(c, waited, status, said, out);
}

sn_status decode_ask(struct rpc_call *c, struct decode_abilities *out)
{
        struct decode_request nothing = {.fd = open("/dev/null", O_RDONLY | O_CLOEXEC), .wait_ms = ABILITIES_MS};
        struct decoded none = {0};
        char said[SAID_BYTES] = "";
        enum waited waited = WAITED_ENOUGH;
        int status = 0;

        for (int i = 0; i < DECODE_N_OUTPUTS; i++) {
                none.files[i].fd = -1;
        }
        sn_status result = run_child(c, &nothing, &none, said, &waited, &status);
        close_one(nothing.fd);
        TRY(result);
        out->pictures = strstr(said, "pictures\n") != NULL;
        out->avif = strstr(said, "avif\n") != NULL;
        out->films = strstr(said, "films\n") != NULL;
        return SN_OK;
}
