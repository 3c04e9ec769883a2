/* Owns the names of events and metrics: those that clients may send (events.def.h), those of other services that are
 * counted (the consumers), and computed ones (metrics.c). */
#include "services/analytics/names.h"

#include <string.h>
#include "services/analytics/analytics.h"
#include "services/analytics/count_events.h"
#include "services/analytics/events.h"
#include "services/analytics/exports.h"

/* The i-th event of other services that is counted; NULL after the last one. */
static const char *of_services(size_t i)
{
        for (size_t k = 0; analytics_consumers[k] != NULL; k++) {
                const char *const *types = analytics_consumers[k]->types;

                for (size_t t = 0; analytics_consumers[k]->handle == count_events && types[t] != NULL; t++) {
                        if (i-- == 0) {
                                return types[t];
                        }
                }
        }
        return NULL;
}

static const char *computed(size_t i)
{
        return i == 0 ? "deliveries" : metric_of_people(i - 1);
}

static bool is_one_of(const char *(*list)(size_t i), const char *name)
{
        const char *one;

        for (size_t i = 0; (one = list(i)) != NULL; i++) {
                if (strcmp(one, name) == 0) {
                        return true;
                }
        }
        return false;
}

bool names_has_event(const char *name)
{
        return event_is_declared(name) || is_one_of(of_services, name);
}

bool names_has_metric(const char *name)
{
        return names_has_event(name) || is_one_of(computed, name);
}

static char *add_all(struct arena *arena, char *text, const char *(*list)(size_t i))
{
        const char *one;

        for (size_t i = 0; (one = list(i)) != NULL; i++) {
                text = arena_printf(arena, "%s, %s", text, one);
        }
        return text;
}

static sn_status fail_with_names(struct rpc_call *c, const char *field, bool metric)
{
        char *text =
            arena_strdup(c->arena, metric ? "is not a metric; the metrics are the events of GET /v1/analytics/schema"
                                          : "is not an event; the events are those of GET /v1/analytics/schema");

        text = add_all(c->arena, text, of_services);
        return rpc_fail(c, SN_INVALID_ARGUMENT, field, "%s", metric ? add_all(c->arena, text, computed) : text);
}

sn_status names_check_event(struct rpc_call *c, const char *field, const char *name)
{
        return names_has_event(name) ? SN_OK : fail_with_names(c, field, false);
}

sn_status names_check_metric(struct rpc_call *c, const char *field, const char *name)
{
        return names_has_metric(name) ? SN_OK : fail_with_names(c, field, true);
}

sn_status names_check_events(struct rpc_call *c, const char *field, char *const *names, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                TRY(names_check_event(c, arena_printf(c->arena, "%s[%zu]", field, i), names[i]));
        }
        return SN_OK;
}
