/* Owns the result: latencies, and printing them as JSON. */
#include "bench/load.h"

#include <stdlib.h>
#include <sys/resource.h>

void load_keep_latency(struct latencies *l, uint64_t ns)
{
        if (l->n == l->capacity) {
                l->capacity = l->capacity == 0 ? 1 << 16 : l->capacity * 2;
                l->us = load_must(reallocarray(l->us, l->capacity, sizeof(*l->us)));
        }
        l->us[l->n++] = (uint32_t)(ns / 1000);
}

static int compare_u32(const void *left, const void *right)
{
        uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

        return a < b ? -1 : a > b;
}

static uint32_t percentile(const struct latencies *l, double p)
{
        size_t at = (size_t)(p * (double)l->n);

        return l->n == 0 ? 0 : l->us[at < l->n ? at : l->n - 1];
}

static void print_latencies(struct latencies *l, double seconds)
{
        double sum = 0;

        if (l->n > 0) {
                qsort(l->us, l->n, sizeof(*l->us), compare_u32);
        }
        for (size_t i = 0; i < l->n; i++) {
                sum += l->us[i];
        }
        printf("\"requests\":%zu,\"per_s\":%.1f,\"mean_us\":%.1f,\"p50_us\":%u,\"p90_us\":%u,\"p99_us\":%u,\"p999_us\":"
               "%u,\"max_us\":%u",
               l->n, (double)l->n / seconds, l->n > 0 ? sum / (double)l->n : 0, percentile(l, 0.50),
               percentile(l, 0.90), percentile(l, 0.99), percentile(l, 0.999), percentile(l, 1));
}

static void print_text(const char *text)
{
        putchar('"');
        for (; *text != '\0'; text++) {
                if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\' || (unsigned char)*text > '~') {
                        printf("\\u%04x", (unsigned char)*text);
                } else {
                        putchar(*text);
                }
        }
        putchar('"');
}

void load_print_result(double seconds)
{
        struct latencies all = {0};
        struct rusage usage;
        uint64_t bytes = 0;

        getrusage(RUSAGE_SELF, &usage);
        for (unsigned i = 0; i < load.n_classes; i++) {
                for (size_t j = 0; j < load.classes[i].latencies.n; j++) {
                        load_keep_latency(&all, (uint64_t)load.classes[i].latencies.us[j] * 1000);
                }
                bytes += load.classes[i].bytes;
        }
        printf("{\"seconds\":%.3f,\"connections\":%zu,\"failed\":%zu,\"first_failure\":", seconds, load.n_connections,
               load.failed);
        print_text(load.first_failure);
        printf(",\"body_bytes\":%llu,\"client_cpu_s\":%.3f,", (unsigned long long)bytes,
               (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
        print_latencies(&all, seconds);
        printf(",\"classes\":{");
        for (unsigned i = 0; i < load.n_classes; i++) {
                printf("%s\"%s\":{\"failed\":%zu,", i > 0 ? "," : "", load.classes[i].name, load.classes[i].failed);
                print_latencies(&load.classes[i].latencies, seconds);
                printf("}");
        }
        printf("}}\n");
}
