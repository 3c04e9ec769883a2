/* Owns the table of events, their validation, and their description for clients. */
#include "services/analytics/events.h"

#include <inttypes.h>
#include <string.h>
#include "base/text.h"
#include "json/rfc3339.h"
#include "json/syntax.h"
#include "services/analytics/analytics.h"

enum { TEXT, PATH, HOST, NUMBER, ID };

static const struct event {
        const char *name, *help;
} events[] = {
#define ANALYTICS_EVENT(name, help) {name, help},
#define ANALYTICS_PROPERTY(event, name, kind, limit, help)
#include "services/analytics/events.def.h"
};

static const struct property {
        const char *event, *name;
        int kind;
        int64_t limit;
        const char *help;
} properties[] = {
#define ANALYTICS_EVENT(name, help)
#define ANALYTICS_PROPERTY(event, name, kind, limit, help) {event, name, kind, limit, help},
#include "services/analytics/events.def.h"
};

#define N_EVENTS     (sizeof(events) / sizeof(events[0]))
#define N_PROPERTIES (sizeof(properties) / sizeof(properties[0]))

bool event_is_declared(const char *name)
{
        for (size_t i = 0; i < N_EVENTS; i++) {
                if (strcmp(events[i].name, name) == 0) {
                        return true;
                }
        }
        return false;
}

static const struct property *find_property(const char *event, const char *name)
{
        for (size_t i = 0; i < N_PROPERTIES; i++) {
                if (strcmp(properties[i].event, event) == 0 && strcmp(properties[i].name, name) == 0) {
                        return &properties[i];
                }
        }
        return NULL;
}

bool event_has_property(const char *event, const char *property)
{
        return find_property(event, property) != NULL;
}

bool event_has_number(const char *event, const char *property)
{
        const struct property *p = find_property(event, property);

        return p != NULL && p->kind == NUMBER;
}

size_t event_numbers(struct arena *arena, char ***events_out, char ***properties_out)
{
        size_t n = 0;

        *events_out = ARENA_ARRAY(arena, char *, N_PROPERTIES);
        *properties_out = ARENA_ARRAY(arena, char *, N_PROPERTIES);
        for (size_t i = 0; i < N_PROPERTIES; i++) {
                if (properties[i].kind == NUMBER) {
                        (*events_out)[n] = (char *)properties[i].event;
                        (*properties_out)[n++] = (char *)properties[i].name;
                }
        }
        return n;
}

/* ---- One property ---- */

static bool is_host(const char *text)
{
        return text[0] != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == strlen(text);
}

static const char *text_problem(const struct property *p, const char *text, size_t len)
{
        if (len > (size_t)p->limit) {
                return "is too long; GET /v1/analytics/schema says how long it may be";
        }
        if (!text_is_one_line(text)) {
                return "has line breaks or other control characters";
        }
        if (p->kind == PATH && (text[0] != '/' || strpbrk(text, "?#") != NULL)) {
                return "must be a path: it begins with '/', and has neither a query nor a fragment";
        }
        if (p->kind == HOST && !is_host(text)) {
                return "must be a host name in lower case, without a scheme or a path";
        }
        if (p->kind == ID && !uuid_valid(text)) {
                return "must be an id";
        }
        return NULL;
}

static const char *value_problem(const struct property *p, const json_t *value)
{
        if (p->kind == NUMBER) {
                bool fits =
                    json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= p->limit;
                return fits ? NULL : "must be an integer from 0 to the limit given in GET /v1/analytics/schema";
        }
        return json_is_string(value) ? text_problem(p, json_string_value(value), json_string_length(value))
                                     : "must be a text";
}

static sn_status read_properties(struct rpc_call *c, json_t *given, AnalyticsRows__TakenEvent *out)
{
        const char *name;
        json_t *value;

        if (!json_is_object(given)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "properties", "must be an object");
        }
        json_object_foreach(given, name, value)
        {
                const struct property *p = find_property(out->name, name);
                const char *problem = p == NULL ? "is not a property of this event; GET /v1/analytics/schema lists them"
                                                : value_problem(p, value);

                if (problem != NULL) {
                        const char *field =
                            arena_printf(c->arena, "properties.%.60s", text_clean(c->arena, str_of(name), 60));

                        return rpc_fail(c, SN_INVALID_ARGUMENT, field, "%s", problem);
                }
                if (p->kind == ID) {
                        out->object_id = arena_strdup(c->arena, json_string_value(value));
                }
        }
        char *text = json_object_size(given) > 0 ? json_dumps(given, JSON_COMPACT) : NULL;

        out->properties = text != NULL ? arena_strdup(c->arena, text) : (char *)"";
        free(text);
        return SN_OK;
}

/* ---- One event ---- */

static const char *text_of(const json_t *event, const char *member)
{
        const json_t *value = json_object_get(event, member);

        return json_is_string(value) ? json_string_value(value) : "";
}

static sn_status read_time(struct rpc_call *c, const char *text, int64_t *at_ms)
{
        int64_t seconds;
        int32_t nanos;

        if (!rfc3339_parse(str_of(text), &seconds, &nanos)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "at", "must be a time like 2026-01-02T03:04:05.678Z");
        }
        *at_ms = seconds * 1000 + nanos / 1000000;
        if (*at_ms < c->now_ms - EVENT_OLDEST_MS) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "at", "is more than seven days ago, which is too old");
        }
        if (*at_ms > c->now_ms + EVENT_AHEAD_MS) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "at", "is in the future: check the clock of the device");
        }
        return SN_OK;
}

static sn_status check_members(struct rpc_call *c, json_t *event)
{
        const char *name;
        json_t *value;

        json_object_foreach(event, name, value)
        {
                if (strcmp(name, "id") != 0 && strcmp(name, "name") != 0 && strcmp(name, "at") != 0 &&
                    strcmp(name, "properties") != 0) {
                        return rpc_fail(c, SN_INVALID_ARGUMENT, text_clean(c->arena, str_of(name), 60),
                                        "is unknown: an event has id, name, at and properties");
                }
        }
        return SN_OK;
}

static sn_status read_object(struct rpc_call *c, json_t *event, AnalyticsRows__TakenEvent *out)
{
        json_t *given = json_object_get(event, "properties");

        if (!json_is_object(event)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "an event is an object with id, name, at and properties");
        }
        if (!uuid_valid(text_of(event, "id"))) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "id", "must be a UUID in lower case, a new one for each event");
        }
        out->id = arena_strdup(c->arena, text_of(event, "id"));
        out->name = arena_strdup(c->arena, text_of(event, "name"));
        TRY(check_members(c, event));
        if (!event_is_declared(out->name)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "name",
                                "is not a known event; GET /v1/analytics/schema lists them");
        }
        TRY(read_time(c, text_of(event, "at"), &out->at_ms));
        return given == NULL ? SN_OK : read_properties(c, given, out);
}

sn_status event_read(struct rpc_call *c, struct str json, AnalyticsRows__TakenEvent *out)
{
        json_t *root = NULL;

        if (json.len > EVENT_MAX_BYTES) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, NULL, "the event has more than %d bytes", EVENT_MAX_BYTES);
        }
        TRY(json_parse(c, json, &root));
        sn_status status = read_object(c, root, out);

        json_decref(root);
        return status;
}

/* ---- The description ---- */

static void describe_event(struct arena *arena, const char *event, Analytics__DescribedEvent *out)
{
        out->properties = ARENA_ARRAY(arena, Analytics__DescribedProperty *, N_PROPERTIES);
        for (size_t i = 0; i < N_PROPERTIES; i++) {
                if (strcmp(properties[i].event, event) == 0) {
                        Analytics__DescribedProperty *p = ARENA_NEW(arena, Analytics__DescribedProperty);

                        analytics__described_property__init(p);
                        p->name = (char *)properties[i].name;
                        p->kind = (Analytics__PropertyKind)(properties[i].kind + 1);
                        p->limit = properties[i].limit;
                        p->help = (char *)properties[i].help;
                        out->properties[out->n_properties++] = p;
                }
        }
}

sn_status analytics_handle_get_event_schema(struct rpc_call *c, const Analytics__GetEventSchemaRequest *in,
                                            Analytics__EventSchema *out)
{
        out->items = ARENA_ARRAY(c->arena, Analytics__DescribedEvent *, N_EVENTS);
        for (size_t i = 0; i < N_EVENTS; i++) {
                Analytics__DescribedEvent *event = ARENA_NEW(c->arena, Analytics__DescribedEvent);

                analytics__described_event__init(event);
                event->name = (char *)events[i].name;
                event->help = (char *)events[i].help;
                describe_event(c->arena, events[i].name, event);
                out->items[out->n_items++] = event;
        }
        return SN_OK;
}
