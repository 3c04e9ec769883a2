/* Makes the files that administrators ask for, a part at a time; each is committed together with the progress. So a
 * stop or a crash costs no more than the part that was being made. A portion is some days of a metric, or an hour of
 * events, with the same numbers as an individual query would return. */
#include "services/analytics/exports.h"

#include <string.h>
#include "base/clock.h"
#include "base/fault.h"
#include "rpc/rpc.h"
#include "services/analytics/analytics.h"
#include "services/analytics/store_exports.h"
#include "services/analytics/visitor.h"

enum {
        PART_BYTES = 512 * 1024, /* a part is filled up to this size, */
        PART_US = 300000,        /* or for this long */
        TEXT_MAX = 32 << 20,     /* of the longest possible portion */
        TRIES_MAX = 5,
};
#define FILE_MAX (INT64_C(256) << 20)

struct making {
        metric_export e;
        struct buf text;
        int64_t rows;
        bool csv;
};

static void making_free(struct making *m)
{
        buf_free(&m->text);
}

static bool is_done(const struct making *m)
{
        return m->e.done >= m->e.portions;
}

static void write_head(struct making *m)
{
        if (m->csv && m->e.parts == 0) {
                buf_append_c(&m->text, m->e.kind == ANALYTICS__EXPORT_KIND__EXPORT_KIND_EVENTS
                                           ? "at,name,properties,people\r\n"
                                           : "at,name,value\r\n");
        }
}

/* ---- Metrics ---- */

static sn_status add_metric(struct rpc_call *c, struct making *m)
{
        Analytics__GetMetricRequest in = ANALYTICS__GET_METRIC_REQUEST__INIT;
        Analytics__Metric metric = ANALYTICS__METRIC__INIT;
        int64_t chunks = m->e.portions / (int64_t)m->e.n_names;
        int64_t from_ms = m->e.from_ms + m->e.done % chunks * METRIC_CHUNK_DAYS * DAY_MS;
        int64_t to_ms = from_ms + METRIC_CHUNK_DAYS * DAY_MS;
        char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];

        (void)clock_format_ms(from_ms, from);
        (void)clock_format_ms(to_ms < m->e.to_ms ? to_ms : m->e.to_ms, to);
        in.name = m->e.names[m->e.done / chunks];
        in.from = from;
        in.to = to;
        in.interval = (Analytics__Interval)m->e.grain;
        TRY(analytics_handle_get_metric(c, &in, &metric));
        for (size_t i = 0; i < metric.n_points; i++) {
                export_write_point(&m->text, metric.name, metric.points[i], m->csv);
        }
        m->rows += (int64_t)metric.n_points;
        return SN_OK;
}

/* ---- Events ---- */

/* Properties are JSON, which begins with a brace, so no spreadsheet interprets them as a formula. */
static void write_quoted(struct buf *out, const char *text)
{
        buf_append_c(out, "\"");
        for (const char *p = text; *p != '\0'; p++) {
                buf_printf(out, *p == '"' ? "\"%c" : "%c", *p);
        }
        buf_append_c(out, "\"");
}

static void write_group(struct making *m, const char *at, const AnalyticsRows__EventGroup *group)
{
        struct buf *out = &m->text;

        if (m->csv) {
                buf_printf(out, "%s,%s,", at, group->name);
                write_quoted(out, group->properties);
                buf_printf(out, ",%lld\r\n", (long long)group->people);
        } else {
                buf_printf(out, "{\"at\":\"%s\",\"name\":\"%s\",\"properties\":%s,\"people\":%lld}\n", at, group->name,
                           group->properties[0] != '\0' ? group->properties : "null", (long long)group->people);
        }
}

static sn_status add_hour(struct rpc_call *c, struct making *m)
{
        AnalyticsRows__EventGroup **groups = NULL;
        int64_t hour_ms = m->e.from_ms + m->e.done * (DAY_MS / 24);
        char at[CLOCK_RFC3339_SIZE];
        size_t n = 0;

        (void)clock_format_ms(hour_ms, at);
        TRY(DB_READ(c, tx,
                    store_events_of_hour(tx, m->e.names, m->e.n_names, hour_ms, analytics_min_group(), &n, &groups)));
        for (size_t i = 0; i < n; i++) {
                write_group(m, at, groups[i]);
        }
        m->rows += (int64_t)n;
        return SN_OK;
}

/* ---- Parts ---- */

/* Each portion has its own memory. */
static sn_status add_portion(struct service *service, struct making *m)
{
        CLEANUP(rpc_call_free_p) struct rpc_call *c = rpc_call_new_background(service, 30000);

        if (m->e.n_names > 0) {
                TRY(m->e.kind == ANALYTICS__EXPORT_KIND__EXPORT_KIND_EVENTS ? add_hour(c, m) : add_metric(c, m));
        }
        m->e.done++;
        return SN_OK;
}

static sn_status fill_part(struct rpc_call *c, struct making *m)
{
        int64_t until_us = clock_monotonic_us() + PART_US;

        write_head(m);
        while (!is_done(m) && m->text.len < PART_BYTES && clock_monotonic_us() < until_us) {
                TRY(add_portion(c->service, m));
        }
        return m->text.overflow ? rpc_fail(c, SN_INTERNAL, NULL, "a part of an export is too large") : SN_OK;
}

static const char *why_given_up(const struct making *m)
{
        return m->e.tries > TRIES_MAX       ? "it could not be made; ask for a shorter range or fewer names"
               : m->e.size_bytes > FILE_MAX ? "it would be larger than 256 MiB; ask for a shorter range or fewer names"
                                            : NULL;
}

static sn_status keep_part(struct rpc_call *c, const struct making *m)
{
        fault_point(arena_printf(c->arena, "export_part_%d_made", (int)m->e.parts));
        TRY(DB_WRITE(
            c, tx,
            store_metric_export_part(tx, &m->e, m->e.done, m->rows, m->text.len > 0 ? m->text.data : "", m->text.len)));
        fault_point(arena_printf(c->arena, "export_part_%d_kept", (int)m->e.parts));
        return SN_OK;
}

static sn_status make_some(struct rpc_call *c, bool *more)
{
        CLEANUP(making_free) struct making m = {.e = ANALYTICS_ROWS__METRIC_EXPORT__INIT};

        buf_init(&m.text, TEXT_MAX);
        TRY(DB_WRITE(c, tx, store_next_metric_export(tx, &m.e)));
        *more = m.e.id[0] != '\0';
        if (!*more) {
                return DB_WRITE(c, tx, store_expire_metric_exports(tx));
        }
        if (why_given_up(&m) != NULL) {
                return DB_WRITE(c, tx, store_fail_metric_export(tx, m.e.id, why_given_up(&m)));
        }
        m.csv = m.e.format == ANALYTICS__EXPORT_FORMAT__EXPORT_FORMAT_CSV;
        TRY(fill_part(c, &m));
        return keep_part(c, &m);
}

const struct service_job analytics_make_exports = {.name = "make_exports", .every_s = 30, .run = make_some};
