/* Owns metrics as files, for spreadsheets and programs: the same points as GetMetric. */
#include "services/analytics/analytics.h"

#include "services/analytics/exports.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "sonet/file.rpc.h"

#define EXPORT_MAX 1048576

/* Names have letters, dots and underscores only. */
void export_write_point(struct buf *out, const char *name, const Analytics__MetricPoint *point, bool csv)
{
        char at[CLOCK_RFC3339_SIZE];

        (void)clock_format_ms(point->at->seconds * 1000, at);
        buf_printf(out, csv ? "%s,%s,%.15g\r\n" : "{\"at\":\"%s\",\"name\":\"%s\",\"value\":%.15g}\n", at, name,
                   point->value);
}

static sn_status answer_with_file(struct rpc_call *c, const struct buf *text, File__Chunk *out)
{
        uint8_t hash[16];
        char *tag = arena_alloc(c->arena, sizeof(hash) * 2 + 1);
        int fd = memfd_create("metric", MFD_CLOEXEC);

        if (fd < 0 || write(fd, text->data, text->len) != (ssize_t)text->len) {
                if (fd >= 0) {
                        close(fd);
                }
                return rpc_fail(c, SN_INTERNAL, NULL, "the file could not be created");
        }
        crypto_generichash(hash, sizeof(hash), (const uint8_t *)text->data, text->len, NULL, 0);
        out->etag = sodium_bin2hex(tag, sizeof(hash) * 2 + 1, hash, sizeof(hash));
        return rpc_answer_file(c, fd);
}

sn_status analytics_handle_export_metric(struct rpc_call *c, const Analytics__ExportMetricRequest *in, File__Chunk *out)
{
        Analytics__GetMetricRequest asked = ANALYTICS__GET_METRIC_REQUEST__INIT;
        Analytics__Metric metric = ANALYTICS__METRIC__INIT;
        bool csv = in->format != ANALYTICS__EXPORT_FORMAT__EXPORT_FORMAT_JSON_LINES;
        CLEANUP(buf_free) struct buf text;

        asked.name = in->name;
        asked.from = in->from;
        asked.to = in->to;
        asked.interval = in->interval;
        buf_init(&text, EXPORT_MAX);
        TRY(analytics_handle_get_metric(c, &asked, &metric));
        if (csv) {
                buf_append_c(&text, "at,name,value\r\n");
        }
        for (size_t i = 0; i < metric.n_points; i++) {
                export_write_point(&text, metric.name, metric.points[i], csv);
        }
        out->mime_type = csv ? (char *)"text/csv; charset=utf-8" : (char *)"application/jsonl";
        out->file_name = arena_printf(c->arena, "%s.%s", metric.name, csv ? "csv" : "jsonl");
        return answer_with_file(c, &text, out);
}
