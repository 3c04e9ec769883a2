/* Metrics in the Prometheus text format (version 0.0.4). Registered once, cheap to change from any thread. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>
#include "base/buf.h"

struct metric;

/* labels is the text inside the braces (`method="GetNote",code="OK"`) or NULL; name, help and labels must live as
 * long as the process (or come from metrics_intern). The same name and labels return the same metric. */
struct metric *metric_counter(const char *name, const char *help, const char *labels);
struct metric *metric_gauge(const char *name, const char *help, const char *labels);
/* Seconds; buckets from 100 µs to 10 s. */
struct metric *metric_histogram(const char *name, const char *help, const char *labels);
/* The counters of a histogram, for callers with their own tables; zeroed, it is empty. */
enum { METRIC_BUCKETS = 16 };
struct metric_buckets {
        _Atomic int64_t sum_us;
        _Atomic int64_t counts[METRIC_BUCKETS + 1]; /* not cumulative; the last: above all bounds */
};
void metric_buckets_observe_us(struct metric_buckets *b, int64_t us);
void metric_buckets_render(const struct metric_buckets *b, const char *name, const char *labels, struct buf *out);
/* metrics_render calls render, for families that the caller keeps itself; adding the same one twice does nothing. */
void metrics_add_collector(void (*render)(struct buf *out));
/* Interned text, never freed, for labels made at run time; equal texts give equal pointers. At most 511 bytes. */
const char *metrics_intern(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* read is called with the registry locked: it must not register metrics, and its context must live as long as the
 * process. */
void metric_gauge_fn(const char *name, const char *help, const char *labels, int64_t (*read)(void *context),
                     void *context);

void metric_add(struct metric *m, int64_t delta);
void metric_set(struct metric *m, int64_t value);
void metric_observe_us(struct metric *m, int64_t us);
int64_t metric_value(const struct metric *m); /* a counter's or gauge's value, a histogram's count */

void metrics_render(struct buf *out);

#endif
