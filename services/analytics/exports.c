/* Owns requesting and downloading large exports; make_exports.c makes them. */
#include "services/analytics/exports.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/spool.h"
#include "services/analytics/analytics.h"
#include "services/analytics/explore.h"
#include "services/analytics/names.h"
#include "services/analytics/store_exports.h"
#include "services/analytics/visitor.h"
#include "sonet/file.rpc.h"

enum { KEEP_DAYS = 7, EXPORTS_MAX = 20, METRIC_DAYS_MAX = 3660, EVENT_DAYS_MAX = 366 };

/* ---- Requesting ---- */

static bool is_of_people(const char *name)
{
        for (size_t i = 0; metric_of_people(i) != NULL; i++) {
                if (strcmp(metric_of_people(i), name) == 0) {
                        return true;
                }
        }
        return false;
}

/* All names that an export of this kind and interval can have. */
static sn_status add_all_names(struct rpc_call *c, bool metrics, bool of_people, metric_export *e)
{
        char **known = NULL;
        size_t n = 0;

        TRY(DB_READ(c, tx, store_metric_names(tx, &known, &n)));
        e->names = ARENA_ARRAY(c->arena, char *, n + 100);
        for (size_t i = 0; i < n; i++) {
                if (names_has_metric(known[i]) && (metrics || names_has_event(known[i]))) {
                        e->names[e->n_names++] = known[i];
                }
        }
        for (size_t i = 0; of_people && metric_of_people(i) != NULL; i++) {
                e->names[e->n_names++] = (char *)metric_of_people(i);
        }
        return SN_OK;
}

static sn_status choose_names(struct rpc_call *c, const Analytics__CreateMetricExportRequest *in, metric_export *e)
{
        bool metrics = in->kind == ANALYTICS__EXPORT_KIND__EXPORT_KIND_METRICS;
        bool of_people = metrics && in->interval != ANALYTICS__INTERVAL__INTERVAL_HOUR;

        if (in->n_names == 0) {
                return add_all_names(c, metrics, of_people, e);
        }
        for (size_t i = 0; i < in->n_names; i++) {
                const char *field = arena_printf(c->arena, "names[%zu]", i);

                if (!of_people && is_of_people(in->names[i])) {
                        return rpc_fail(c, SN_INVALID_ARGUMENT, field,
                                        "%s counts people, which is only possible as a metric by day", in->names[i]);
                }
                TRY(metrics ? names_check_metric(c, field, in->names[i]) : names_check_event(c, field, in->names[i]));
        }
        e->names = in->names;
        e->n_names = in->n_names;
        return SN_OK;
}

static int64_t count_portions(const metric_export *e)
{
        int64_t days = (e->to_ms - e->from_ms) / DAY_MS;

        if (e->kind == ANALYTICS__EXPORT_KIND__EXPORT_KIND_EVENTS) {
                return days * 24;
        }
        int64_t chunks = (days + METRIC_CHUNK_DAYS - 1) / METRIC_CHUNK_DAYS * (int64_t)e->n_names;

        return chunks > 0 ? chunks : 1; /* without a metric the file has only a header */
}

static sn_status plan_export(struct rpc_call *c, const Analytics__CreateMetricExportRequest *in, metric_export *e)
{
        bool events = in->kind == ANALYTICS__EXPORT_KIND__EXPORT_KIND_EVENTS;
        struct days days;

        TRY(explore_read_days(c, in->from, in->to, events ? EVENT_DAYS_MAX : METRIC_DAYS_MAX, &days));
        e->id = uuid_new_in(c->arena);
        e->kind = (int32_t)in->kind;
        e->format = in->format == ANALYTICS__EXPORT_FORMAT__EXPORT_FORMAT_UNSPECIFIED
                        ? ANALYTICS__EXPORT_FORMAT__EXPORT_FORMAT_CSV
                        : (int32_t)in->format;
        e->grain = events || in->interval == ANALYTICS__INTERVAL__INTERVAL_HOUR ? ANALYTICS__INTERVAL__INTERVAL_HOUR
                                                                                : ANALYTICS__INTERVAL__INTERVAL_DAY;
        e->from_ms = days.from_ms;
        e->to_ms = days.to_ms;
        TRY(choose_names(c, in, e));
        e->portions = count_portions(e);
        return SN_OK;
}

sn_status analytics_handle_create_metric_export(struct rpc_call *c, const Analytics__CreateMetricExportRequest *in,
                                                Analytics__MetricExport *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        metric_export e = ANALYTICS_ROWS__METRIC_EXPORT__INIT;
        bool added = false;

        TRY(plan_export(c, in, &e));
        TRY(db_begin(c, &tx));
        TRY(store_insert_metric_export(tx, &e, KEEP_DAYS, EXPORTS_MAX, &added));
        if (!added) {
                return rpc_fail(c, SN_FAILED_PRECONDITION, NULL, "there are %d exports already; delete one first",
                                EXPORTS_MAX);
        }
        jobs_announce(tx, &analytics_make_exports);
        TRY(store_metric_export(tx, e.id, out));
        return db_commit(c, &out->base, &tx);
}

sn_status analytics_handle_list_metric_exports(struct rpc_call *c, const Analytics__ListMetricExportsRequest *in,
                                               Analytics__MetricExports *out)
{
        return DB_READ(c, tx, store_metric_exports(tx, &out->n_items, &out->items));
}

sn_status analytics_handle_get_metric_export(struct rpc_call *c, const Analytics__MetricExportRequest *in,
                                             Analytics__MetricExport *out)
{
        return DB_READ(c, tx, store_metric_export(tx, in->id, out));
}

sn_status analytics_handle_delete_metric_export(struct rpc_call *c, const Analytics__MetricExportRequest *in,
                                                Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, store_delete_metric_export(tx, in->id));
}

/* ---- Downloading ---- */

/* Each part has its own call, and so its own memory. */
static sn_status copy_part(struct rpc_call *c, const char *id, int64_t position, int fd, int64_t *at)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *part = rpc_call_new_background(c->service, rpc_call_left_ms(c));
        const uint8_t *data = NULL;
        size_t len = 0;
        sn_status status = DB_READ(part, tx, store_read_metric_export_part(tx, id, position, &data, &len));

        if (status != SN_OK) {
                return rpc_fail(c, status, part->problem.field, "%s", part->problem.detail);
        }
        if (!spool_write_all(fd, data, len, *at)) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the file cannot be put on the disk: %s", strerror(errno));
        }
        *at += (int64_t)len;
        return SN_OK;
}

static sn_status copy_parts(struct rpc_call *c, const metric_export *e, int fd)
{
        int64_t at = 0;

        for (int64_t i = 0; i < e->parts; i++) {
                TRY(copy_part(c, e->id, i, fd, &at));
        }
        return SN_OK;
}

static void name_file(struct arena *arena, const metric_export *e, File__Chunk *out)
{
        bool csv = e->format == ANALYTICS__EXPORT_FORMAT__EXPORT_FORMAT_CSV;
        char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];

        (void)clock_format_ms(e->from_ms, from);
        (void)clock_format_ms(e->to_ms - DAY_MS, to);
        out->etag = e->id;
        out->mime_type = csv ? (char *)"text/csv; charset=utf-8" : (char *)"application/jsonl";
        out->file_name = arena_printf(arena, "%s-%.10s-%.10s.%s",
                                      e->kind == ANALYTICS__EXPORT_KIND__EXPORT_KIND_EVENTS ? "events" : "metrics",
                                      from, to, csv ? "csv" : "jsonl");
        out->cache_control = "private, no-store";
}

sn_status analytics_handle_download_metric_export(struct rpc_call *c, const Analytics__DownloadMetricExportRequest *in,
                                                  File__Chunk *out)
{
        metric_export e = ANALYTICS_ROWS__METRIC_EXPORT__INIT;

        TRY(DB_READ(c, tx, store_metric_export_parts(tx, in->id, &e)));
        if (e.id[0] == '\0') {
                return rpc_fail(c, SN_NOT_FOUND, "id", "there is no such export, or it is not ready");
        }
        int fd = spool_open_unnamed();
        if (fd < 0) {
                return rpc_fail(c, SN_UNAVAILABLE, NULL, "the file cannot be put on the disk: %s", strerror(errno));
        }
        sn_status status = copy_parts(c, &e, fd);
        if (status != SN_OK) {
                (void)close(fd);
                return status;
        }
        name_file(c->arena, &e, out);
        return rpc_answer_file(c, fd);
}
