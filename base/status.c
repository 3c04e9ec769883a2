/* Owns the external meaning of each status: its name, its HTTP status, and the default text of a problem. */
#include "base/status.h"

#include <stddef.h>
#include <string.h>

static const struct sn_status_row rows[] = {
#define STATUS(name, number, http, code, retry_after_s, detail)                                                        \
        [number] = {#name, (http), (code), (retry_after_s), (detail)},
#define STATUS_CODE(name, code, http)
#include "base/status.def.h"
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == SN_STATUS_COUNT, "every status needs a row");

static const struct {
        sn_status status;
        const char *code;
        int http;
} exceptions[] = {
#define STATUS(name, number, http, code, retry_after_s, detail)
#define STATUS_CODE(name, code, http) {SN_##name, (code), (http)},
#include "base/status.def.h"
};

const struct sn_status_row *sn_status_row(sn_status status)
{
        return &rows[(unsigned)status < SN_STATUS_COUNT ? status : SN_UNKNOWN];
}

const char *sn_status_name(sn_status status)
{
        return status == SN_REPLAYED ? "REPLAYED" : sn_status_row(status)->name;
}

int sn_status_http(sn_status status, const char *code)
{
        for (size_t i = 0; code != NULL && i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
                if (exceptions[i].status == status && strcmp(exceptions[i].code, code) == 0) {
                        return exceptions[i].http;
                }
        }
        return sn_status_row(status)->http;
}
