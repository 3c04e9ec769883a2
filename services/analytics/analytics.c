/* Owns the definition of analytics_service: its settings, its journal, start and stop. */
#include "services/analytics/analytics.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "auth/keys.h"
#include "base/log.h"
#include "base/spool.h"
#include "db/db.h"
#include "services/analytics/journal.h"

static int64_t min_group, keep_months;

int64_t analytics_min_group(void)
{
        return min_group;
}

int64_t analytics_keep_months(void)
{
        return keep_months;
}

/* Installations may share a folder: each has its own journal below it, named by its key and its database. */
static void name_folder(const struct service *service, const struct settings *settings, char out[400])
{
        uint8_t key[32], hash[8];
        char hex[sizeof(hash) * 2 + 1];
        const char *url = db_url(service->db);

        if (settings->analytics_dir[0] != '\0') {
                (void)snprintf(out, 400, "%s", settings->analytics_dir);
                return;
        }
        keys_derive("analytics-journal", key);
        crypto_generichash(hash, sizeof(hash), (const uint8_t *)url, strlen(url), key, sizeof(key));
        sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
        (void)snprintf(out, 400, "%s/sonet-analytics-%s", spool_folder(), hex);
}

static sn_status start_analytics_service(struct service *service, const struct settings *settings)
{
        char folder[400];

        min_group = settings->analytics_min_group;
        keep_months = settings->analytics_keep_months;
        name_folder(service, settings, folder);
        if (!journal_start(folder, settings->analytics_journal_bytes)) {
                log_event(LOG_LEVEL_ERROR, "the folder of the journal of events cannot be made",
                          LOG_STR("file.path", folder));
                return SN_INTERNAL;
        }
        return SN_OK;
}

static void stop_analytics_service(struct service *service)
{
        journal_stop();
}

sn_status analytics_handle_read_export(struct rpc_call *c, const Sonet__Export__ReadExportRequest *in,
                                       Sonet__Export__ReadExportResponse *out)
{
        return export_answer(c, in, out);
}

const struct service_definition analytics_service = {
    .name = "analytics",
    .contract = &analytics_contract,
    .handlers = &analytics_handlers,
    .schema = &analytics_schema,
    .consumers = analytics_consumers,
    .jobs = analytics_jobs,
    .exports = analytics_exports,
    .start = start_analytics_service,
    .stop = stop_analytics_service,
};
