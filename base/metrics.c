/* The metrics of the process: families by name, in order of registration. Updates are atomic additions; the lock
 * only guards the registry. Metrics are never removed. */
#include "base/metrics.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };
enum { MAX_COLLECTORS = 8 };

static const int64_t bucket_us[METRIC_BUCKETS] = {100,   250,    500,    1000,   2500,    5000,    10000,   25000,
                                                  50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};
static const char *const bucket_le[METRIC_BUCKETS] = {"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005",
                                                      "0.01",   "0.025",   "0.05",   "0.1",   "0.25",   "0.5",
                                                      "1",      "2.5",     "5",      "10"};

struct metric {
        struct metric *next;   /* in its family */
        const char *labels;    /* "" for none */
        _Atomic int64_t value; /* of a counter or gauge */
        int64_t (*read)(void *context);
        void *context;
        struct metric_buckets *buckets; /* of a histogram */
};

struct family {
        struct family *next;
        const char *name, *help;
        enum kind kind;
        struct metric *first, **end;
};

struct interned {
        struct interned *next;
        char text[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct family *families, **families_end = &families;
static struct interned *texts;
static void (*collectors[MAX_COLLECTORS])(struct buf *out);

static void *must_alloc(size_t bytes)
{
        void *result = calloc(1, bytes);
        if (result == NULL) {
                fputs("sonet: out of memory\n", stderr);
                abort();
        }
        return result;
}

const char *metrics_intern(const char *format, ...)
{
        char text[512];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        pthread_mutex_lock(&lock);
        struct interned *found = texts;
        while (found != NULL && strcmp(found->text, text) != 0) {
                found = found->next;
        }
        if (found == NULL) {
                size_t size = strlen(text) + 1;
                found = must_alloc(sizeof(*found) + size);
                memcpy(found->text, text, size);
                found->next = texts;
                texts = found;
        }
        pthread_mutex_unlock(&lock);
        return found->text;
}

static struct family *family_of(const char *name, const char *help, enum kind kind)
{
        for (struct family *f = families; f != NULL; f = f->next) {
                if (strcmp(f->name, name) != 0) {
                        continue;
                }
                if (f->kind != kind) {
                        fprintf(stderr, "sonet: the metric %s is registered with two types\n", name);
                        abort();
                }
                return f;
        }
        struct family *f = must_alloc(sizeof(*f));
        *f = (struct family){.name = name, .help = help, .kind = kind, .end = &f->first};
        *families_end = f;
        families_end = &f->next;
        return f;
}

static struct metric *metric_of(struct family *f, const char *labels)
{
        for (struct metric *m = f->first; m != NULL; m = m->next) {
                if (strcmp(m->labels, labels) == 0) {
                        return m;
                }
        }
        struct metric *m = must_alloc(sizeof(*m));
        m->labels = labels;
        if (f->kind == HISTOGRAM) {
                m->buckets = must_alloc(sizeof(*m->buckets));
        }
        *f->end = m;
        f->end = &m->next;
        return m;
}

static struct metric *metric_register(const char *name, const char *help, const char *labels, enum kind kind)
{
        pthread_mutex_lock(&lock);
        struct metric *m = metric_of(family_of(name, help, kind), labels != NULL ? labels : "");
        pthread_mutex_unlock(&lock);
        return m;
}

struct metric *metric_counter(const char *name, const char *help, const char *labels)
{
        return metric_register(name, help, labels, COUNTER);
}

struct metric *metric_gauge(const char *name, const char *help, const char *labels)
{
        return metric_register(name, help, labels, GAUGE);
}

struct metric *metric_histogram(const char *name, const char *help, const char *labels)
{
        return metric_register(name, help, labels, HISTOGRAM);
}

void metric_gauge_fn(const char *name, const char *help, const char *labels, int64_t (*read)(void *context),
                     void *context)
{
        pthread_mutex_lock(&lock);
        struct metric *m = metric_of(family_of(name, help, GAUGE), labels != NULL ? labels : "");
        m->read = read;
        m->context = context;
        pthread_mutex_unlock(&lock);
}

void metric_add(struct metric *m, int64_t delta)
{
        atomic_fetch_add_explicit(&m->value, delta, memory_order_relaxed);
}

void metric_set(struct metric *m, int64_t value)
{
        atomic_store_explicit(&m->value, value, memory_order_relaxed);
}

void metric_buckets_observe_us(struct metric_buckets *b, int64_t us)
{
        int i = 0;
        while (i < METRIC_BUCKETS && us > bucket_us[i]) {
                i++;
        }
        atomic_fetch_add_explicit(&b->counts[i], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&b->sum_us, us, memory_order_relaxed);
}

void metric_observe_us(struct metric *m, int64_t us)
{
        metric_buckets_observe_us(m->buckets, us);
}

void metrics_add_collector(void (*render)(struct buf *out))
{
        size_t i = 0;
        pthread_mutex_lock(&lock);
        while (i < MAX_COLLECTORS && collectors[i] != NULL && collectors[i] != render) {
                i++;
        }
        if (i == MAX_COLLECTORS) {
                fputs("sonet: too many metric collectors\n", stderr);
                abort();
        }
        collectors[i] = render;
        pthread_mutex_unlock(&lock);
}

static int64_t read_value(const struct metric *m)
{
        return m->read != NULL ? m->read(m->context) : atomic_load_explicit(&m->value, memory_order_relaxed);
}

int64_t metric_value(const struct metric *m)
{
        if (m->buckets == NULL) {
                return read_value(m);
        }
        int64_t count = 0;
        for (int i = 0; i <= METRIC_BUCKETS; i++) {
                count += atomic_load_explicit(&m->buckets->counts[i], memory_order_relaxed);
        }
        return count;
}

void metric_buckets_render(const struct metric_buckets *b, const char *name, const char *labels, struct buf *out)
{
        const char *comma = labels[0] != '\0' ? "," : "";
        const char *open = labels[0] != '\0' ? "{" : "", *close = labels[0] != '\0' ? "}" : "";
        int64_t count = 0;
        for (int i = 0; i <= METRIC_BUCKETS; i++) {
                count += atomic_load_explicit(&b->counts[i], memory_order_relaxed);
                buf_printf(out, "%s_bucket{%s%sle=\"%s\"} ", name, labels, comma,
                           i < METRIC_BUCKETS ? bucket_le[i] : "+Inf");
                buf_append_i64(out, count);
                buf_append_char(out, '\n');
        }
        double sum = (double)atomic_load_explicit(&b->sum_us, memory_order_relaxed) / 1e6;
        buf_printf(out, "%s_sum%s%s%s %.6f\n", name, open, labels, close, sum);
        buf_printf(out, "%s_count%s%s%s ", name, open, labels, close);
        buf_append_i64(out, count); /* of the same reading as the buckets */
        buf_append_char(out, '\n');
}

static void render_value(struct buf *out, const char *name, const struct metric *m)
{
        buf_append_c(out, name);
        if (m->labels[0] != '\0') {
                buf_append_char(out, '{');
                buf_append_c(out, m->labels);
                buf_append_char(out, '}');
        }
        buf_append_char(out, ' ');
        buf_append_i64(out, read_value(m));
        buf_append_char(out, '\n');
}

void metrics_render(struct buf *out)
{
        static const char *const types[] = {[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
        pthread_mutex_lock(&lock);
        for (const struct family *f = families; f != NULL; f = f->next) {
                buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, types[f->kind]);
                for (const struct metric *m = f->first; m != NULL; m = m->next) {
                        if (f->kind == HISTOGRAM) {
                                metric_buckets_render(m->buckets, f->name, m->labels, out);
                        } else {
                                render_value(out, f->name, m);
                        }
                }
        }
        for (size_t i = 0; i < MAX_COLLECTORS && collectors[i] != NULL; i++) {
                collectors[i](out);
        }
        pthread_mutex_unlock(&lock);
}
