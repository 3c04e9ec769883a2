/* Owns the progress output of `sonet import`. */
#include "cmd/import/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "base/clock.h"

#define BAR_EVERY_US  100000
#define LINE_EVERY_US 10000000
#define BAR_MAX       40
#define SMOOTHING     0.1 /* weight of the newest rate, so that the remaining time does not jump */

char *import_number(size_t value, char out[32])
{
        char plain[24];
        int len = snprintf(plain, sizeof(plain), "%zu", value);
        char *at = out;

        for (int i = 0; i < len; i++) {
                if (i > 0 && (len - i) % 3 == 0) {
                        *at++ = ',';
                }
                *at++ = plain[i];
        }
        *at = '\0';
        return out;
}

void import_progress_start(struct import_progress *progress, FILE *to, const char *what, size_t total)
{
        int64_t now = clock_monotonic_us();

        *progress = (struct import_progress){.to = to, .what = what, .total = total, .start_us = now, .shown_us = now};
        progress->terminal = isatty(fileno(to)) == 1;
}

static int terminal_columns(FILE *to)
{
        struct winsize size;

        return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "members 412/962 43% 38/s, 14 s left" */
static int describe_progress(const struct import_progress *progress, size_t done, char *out, size_t size)
{
        char a[32], b[32], rate[32];
        double left = progress->rate > 0 ? (double)(progress->total - done) / progress->rate : 0;
        int minutes = (int)(left / 60);

        import_number(done, a);
        import_number(progress->total, b);
        import_number((size_t)progress->rate, rate);
        return minutes > 0 ? snprintf(out, size, "%s %s/%s  %s/s, %d min %02d s left", progress->what, a, b, rate,
                                      minutes, (int)left % 60)
                           : snprintf(out, size, "%s %s/%s  %s/s, %d s left", progress->what, a, b, rate, (int)left);
}

static void show_bar(const struct import_progress *progress, size_t done)
{
        char text[160];
        int len = describe_progress(progress, done, text, sizeof(text));
        int room = terminal_columns(progress->to) - len - 4;
        int width = room > BAR_MAX ? BAR_MAX : room;
        int full = width > 0 && progress->total > 0 ? (int)(done * (size_t)width / progress->total) : 0;

        fprintf(progress->to, "\r\033[K");
        if (width > 4) {
                fputc('[', progress->to);
                for (int i = 0; i < width; i++) {
                        fputc(i < full ? '#' : ' ', progress->to);
                }
                fputs("] ", progress->to);
        }
        fputs(text, progress->to);
        fflush(progress->to);
}

void import_progress_show(struct import_progress *progress, size_t done)
{
        int64_t now = clock_monotonic_us(), since = now - progress->shown_us;

        if (since < (progress->terminal ? BAR_EVERY_US : LINE_EVERY_US)) {
                return;
        }
        double rate = (double)(done - progress->seen) * 1e6 / (double)since;
        bool first = progress->seen == 0;
        progress->rate = first || !progress->terminal ? rate : progress->rate + SMOOTHING * (rate - progress->rate);
        progress->seen = done;
        progress->shown_us = now;
        if (progress->terminal) {
                show_bar(progress, done);
                return;
        }
        char text[160];
        describe_progress(progress, done, text, sizeof(text));
        fprintf(progress->to, "%s\n", text);
        fflush(progress->to);
}

void import_progress_end(struct import_progress *progress, size_t done, size_t there)
{
        double seconds = (double)(clock_monotonic_us() - progress->start_us) / 1e6;
        char all[32], rate[32], old[32];

        import_number(done, all);
        import_number(seconds > 0 ? (size_t)((double)done / seconds) : 0, rate);
        fprintf(progress->to, "%s%s %s in %.1f s (%s/s)", progress->terminal ? "\r\033[K" : "", all, progress->what,
                seconds, rate);
        if (there > 0) {
                fprintf(progress->to, ", %s already present", import_number(there, old));
        }
        fputc('\n', progress->to);
        fflush(progress->to);
}
