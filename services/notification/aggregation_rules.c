/* Owns the administrators' aggregation rules, and dry runs of a rule over past events. */
#include "services/notification/aggregation_rules.h"

#include <string.h>
#include "services/notification/notification.h"
#include "services/notification/sentence.h"
#include "services/notification/store.h"
#include "services/timestamp.h"

enum { LOOKED_AT = 50000, LEAST_BY_DEFAULT = 2 };
#define DAY_MS INT64_C(86400000)

static struct aggregation_rule rule_of(const NotificationRows__Aggregation *row)
{
        return (struct aggregation_rule){.fold_by = (enum fold_by)row->fold_by,
                                         .window_s = row->window_s,
                                         .least = row->least,
                                         .languages = row->languages,
                                         .texts = row->texts,
                                         .n_texts = row->n_texts};
}

sn_status aggregation_load(struct db_tx *tx, const struct aggregation **out)
{
        struct aggregation *all = ARENA_NEW(db_arena(tx), struct aggregation);
        NotificationRows__Aggregation **rows = NULL;
        enum notification_type type;
        size_t n = 0;

        for (int i = 0; i < TYPE_COUNT; i++) {
                all->of[i] = aggregation_default;
        }
        TRY(store_aggregation(tx, &n, &rows));
        for (size_t i = 0; i < n; i++) {
                if (type_find(rows[i]->type, &type)) {
                        all->of[type] = rule_of(rows[i]);
                }
        }
        *out = all;
        return SN_OK;
}

/* ---- Listing ---- */

static Notification__AggregationRule *show_default(struct arena *arena, enum notification_type type)
{
        Notification__AggregationRule *out = ARENA_NEW(arena, Notification__AggregationRule);

        notification__aggregation_rule__init(out);
        out->type = (char *)type_name(type);
        out->window_s = (uint32_t)aggregation_default.window_s;
        out->fold_by = (Notification__FoldBy)aggregation_default.fold_by;
        out->least = (uint32_t)aggregation_default.least;
        return out;
}

static void show_row(struct arena *arena, const NotificationRows__Aggregation *row, Notification__AggregationRule *out)
{
        out->window_s = (uint32_t)row->window_s;
        out->fold_by = (Notification__FoldBy)row->fold_by;
        out->least = (uint32_t)row->least;
        out->updated_at = row->updated_at;
        out->texts = ARENA_ARRAY(arena, Notification__FoldText *, row->n_texts);
        for (size_t i = 0; i < row->n_texts; i++) {
                out->texts[i] = ARENA_NEW(arena, Notification__FoldText);
                notification__fold_text__init(out->texts[i]);
                out->texts[i]->language = row->languages[i];
                out->texts[i]->text = row->texts[i];
        }
        out->n_texts = row->n_texts;
}

/* Security types have no rules: they are never grouped. */
static sn_status show_rules(struct db_tx *tx, Notification__AggregationRules *out)
{
        NotificationRows__Aggregation **rows = NULL;
        size_t n = 0;

        TRY(store_aggregation(tx, &n, &rows));
        out->items = ARENA_ARRAY(db_arena(tx), Notification__AggregationRule *, TYPE_COUNT);
        for (int type = 0; type < TYPE_COUNT; type++) {
                if (!type_is_security((enum notification_type)type)) {
                        out->items[out->n_items++] = show_default(db_arena(tx), (enum notification_type)type);
                }
        }
        for (size_t i = 0; i < out->n_items; i++) {
                for (size_t k = 0; k < n; k++) {
                        if (strcmp(rows[k]->type, out->items[i]->type) == 0) {
                                show_row(db_arena(tx), rows[k], out->items[i]);
                        }
                }
        }
        return SN_OK;
}

sn_status notification_handle_list_aggregation_rules(struct rpc_call *c,
                                                     const Notification__ListAggregationRulesRequest *in,
                                                     Notification__AggregationRules *out)
{
        return DB_READ(c, tx, show_rules(tx, out));
}

/* ---- Setting ---- */

static sn_status check_type(struct rpc_call *c, const char *name, enum notification_type *type)
{
        if (!type_find(name, type)) {
                return rpc_fail(c, SN_NOT_FOUND, "type", "there is no such type of notification");
        }
        return type_is_security(*type)
                   ? rpc_fail(c, SN_INVALID_ARGUMENT, "type",
                              "concerns the security of accounts; such notifications are never grouped")
                   : SN_OK;
}

static sn_status check_text(struct rpc_call *c, size_t i, const Notification__FoldText *text)
{
        static const char *const variables[] = {"1", "count"};
        struct str unknown;

        return sentence_check(text->text, variables, sizeof(variables) / sizeof(variables[0]), &unknown)
                   ? SN_OK
                   : rpc_fail(c, SN_INVALID_ARGUMENT, arena_printf(c->arena, "texts[%zu].text", i),
                              "uses the unknown variable {%.*s}; use {1} and {count}", (int)unknown.len, unknown.ptr);
}

static sn_status check_texts(struct rpc_call *c, const Notification__AggregationRule *in)
{
        bool english = in->fold_by <= NOTIFICATION__FOLD_BY__FOLD_BY_OBJECT;

        for (size_t i = 0; i < in->n_texts; i++) {
                TRY(check_text(c, i, in->texts[i]));
                english = english || strcmp(in->texts[i]->language, "en") == 0;
                for (size_t k = 0; k < i; k++) {
                        if (strcmp(in->texts[i]->language, in->texts[k]->language) == 0) {
                                return rpc_fail(c, SN_INVALID_ARGUMENT, "texts", "has the language %s twice",
                                                in->texts[i]->language);
                        }
                }
        }
        return english ? SN_OK
                       : rpc_fail(c, SN_INVALID_ARGUMENT, "texts",
                                  "must include English (en) if notifications are folded into lines");
}

/* Messages are read in their chat, so they can be grouped only by chat. */
static sn_status check_rule(struct rpc_call *c, const Notification__AggregationRule *in, enum notification_type *type)
{
        TRY(check_type(c, in->type, type));
        if (in->fold_by == NOTIFICATION__FOLD_BY__FOLD_BY_NOTHING &&
            (*type == TYPE_MESSAGE || *type == TYPE_MESSAGE_REQUEST)) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "fold_by",
                                "must not be nothing: messages of a chat are always grouped");
        }
        return check_texts(c, in);
}

static NotificationRows__Aggregation row_of(struct arena *arena, const Notification__AggregationRule *in)
{
        NotificationRows__Aggregation row = NOTIFICATION_ROWS__AGGREGATION__INIT;

        row.type = in->type;
        row.window_s = in->window_s;
        row.fold_by = (int32_t)in->fold_by;
        row.least = in->least > 0 ? in->least : LEAST_BY_DEFAULT;
        row.n_languages = row.n_texts = in->n_texts;
        row.languages = ARENA_ARRAY(arena, char *, in->n_texts);
        row.texts = ARENA_ARRAY(arena, char *, in->n_texts);
        for (size_t i = 0; i < in->n_texts; i++) {
                row.languages[i] = in->texts[i]->language;
                row.texts[i] = in->texts[i]->text;
        }
        return row;
}

static sn_status set_rule(struct db_tx *tx, const NotificationRows__Aggregation *row,
                          Notification__AggregationRule *out)
{
        NotificationRows__Aggregation **rows = NULL;
        size_t n = 0;

        TRY(store_set_aggregation(tx, row));
        TRY(store_aggregation(tx, &n, &rows));
        out->type = row->type;
        for (size_t i = 0; i < n; i++) {
                if (strcmp(rows[i]->type, row->type) == 0) {
                        show_row(db_arena(tx), rows[i], out);
                }
        }
        return SN_OK;
}

sn_status notification_handle_set_aggregation_rule(struct rpc_call *c, const Notification__AggregationRule *in,
                                                   Notification__AggregationRule *out)
{
        NotificationRows__Aggregation row = row_of(c->arena, in);
        enum notification_type type;

        TRY(check_rule(c, in, &type));
        return DB_WRITE(c, tx, set_rule(tx, &row, out));
}

sn_status notification_handle_delete_aggregation_rule(struct rpc_call *c,
                                                      const Notification__DeleteAggregationRuleRequest *in,
                                                      Google__Protobuf__Empty *out)
{
        enum notification_type type;
        int64_t n = 0;

        TRY(check_type(c, in->type, &type));
        return DB_WRITE(c, tx, store_delete_aggregation(tx, in->type, &n));
}

/* ---- Dry runs ---- */

struct trial {
        const struct aggregation *now;
        struct aggregation_event *events;
        size_t n;
};

static sn_status load_trial(struct db_tx *tx, const char *type, struct trial *t)
{
        NotificationRows__Happened **rows = NULL;
        int64_t until_ms = db_call(tx)->now_ms;

        TRY(aggregation_load(tx, &t->now));
        TRY(store_happened(tx, type, until_ms - DAY_MS, until_ms, LOOKED_AT, &t->n, &rows));
        t->events = ARENA_ARRAY(db_arena(tx), struct aggregation_event, t->n);
        for (size_t i = 0; i < t->n; i++) {
                t->events[i] =
                    (struct aggregation_event){rows[i]->user_n, rows[i]->object_n, rows[i]->actor_n, rows[i]->at_ms};
        }
        return SN_OK;
}

static Notification__AggregationOutcome *try_rule(struct arena *arena, const struct aggregation_rule *rule,
                                                  const struct trial *t)
{
        Notification__AggregationOutcome *out = ARENA_NEW(arena, Notification__AggregationOutcome);
        struct aggregation_outcome outcome = aggregation_simulate(arena, rule, t->events, t->n);

        notification__aggregation_outcome__init(out);
        out->notifications = (uint64_t)outcome.notifications;
        out->deliveries = (uint64_t)outcome.deliveries;
        out->lines = (uint64_t)outcome.lines;
        return out;
}

sn_status notification_handle_dry_run_aggregation_rule(struct rpc_call *c, const Notification__AggregationRule *in,
                                                       Notification__AggregationDryRun *out)
{
        NotificationRows__Aggregation row = row_of(c->arena, in);
        struct aggregation_rule rule = rule_of(&row);
        enum notification_type type;
        struct trial t = {.n = 0};

        TRY(check_rule(c, in, &type));
        TRY(DB_READ(c, tx, load_trial(tx, in->type, &t)));
        out->from = timestamp_new(c->arena, c->now_ms - DAY_MS);
        out->until = timestamp_new(c->arena, c->now_ms);
        out->happened = t.n;
        out->more = t.n == LOOKED_AT;
        out->now = try_rule(c->arena, &t.now->of[type], &t);
        out->then = try_rule(c->arena, &rule, &t);
        return SN_OK;
}
