/* Owns applying aggregation rules. */
#include "services/notification/aggregation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct aggregation_rule aggregation_default = {.fold_by = FOLD_OBJECT, .least = 2};

const struct aggregation_rule *aggregation_rule_of(const struct aggregation *aggregation, enum notification_type type)
{
        return aggregation != NULL ? &aggregation->of[type] : &aggregation_default;
}

/* Matches the first subtag of the language, like mail/template.c. */
const char *aggregation_text(const struct aggregation_rule *rule, const char *language)
{
        const char *english = NULL;
        size_t len = strcspn(language, "-");

        for (size_t i = 0; i < rule->n_texts; i++) {
                if (strlen(rule->languages[i]) == len && strncasecmp(rule->languages[i], language, len) == 0) {
                        return rule->texts[i];
                }
                english = strcmp(rule->languages[i], "en") == 0 ? rule->texts[i] : english;
        }
        return english;
}

bool aggregation_waits(const struct aggregation_rule *rule, int64_t actors)
{
        return rule->window_s > 0 && rule->fold_by != FOLD_NOTHING && actors >= rule->least;
}

/* ---- Lines of digests ---- */

static bool shares_line(const struct aggregation_rule *rule, const struct aggregation_item *a,
                        const struct aggregation_item *b)
{
        return a->type == b->type &&
               (rule->fold_by == FOLD_TYPE || (rule->fold_by == FOLD_ACTOR && a->actor == b->actor));
}

/* Counts the notifications that would share a line with items[from], including itself. */
static size_t count_line(const struct aggregation_rule *rule, const struct aggregation_item *items, size_t n,
                         size_t from)
{
        size_t sharing = 1;

        for (size_t i = from + 1; i < n; i++) {
                sharing += items[i].n == 0 && shares_line(rule, &items[from], &items[i]);
        }
        return sharing;
}

void aggregation_fold(const struct aggregation *aggregation, struct aggregation_item *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                items[i].n = 0;
                items[i].first = false;
        }
        for (size_t i = 0; i < n; i++) {
                const struct aggregation_rule *rule = aggregation_rule_of(aggregation, items[i].type);

                if (items[i].n > 0) {
                        continue;
                }
                size_t sharing = count_line(rule, items, n, i);
                bool line = (int64_t)sharing >= rule->least;

                items[i].first = true;
                for (size_t k = i + 1; line && k < n; k++) {
                        items[k].n = items[k].n == 0 && shares_line(rule, &items[i], &items[k]) ? 1 : items[k].n;
                }
                items[i].n = line ? sharing : 1;
        }
}

/* ---- Simulation ---- */

struct simulation {
        const struct aggregation_rule *rule;
        struct aggregation_outcome out;
        int64_t *actors; /* latest actor of each notification of the current member */
        size_t n_actors;
        int64_t began_ms, members; /* of the open notification */
        bool held;                 /* a delivery is waiting for the end of the window */
};

static bool joins(const struct simulation *s, const struct aggregation_event *before,
                  const struct aggregation_event *event)
{
        return before != NULL && before->user == event->user && before->object == event->object &&
               s->rule->fold_by != FOLD_NOTHING && s->members < GROUP_FULL &&
               (s->rule->window_s == 0 || event->at_ms < s->began_ms + s->rule->window_s * 1000);
}

static void add_event(struct simulation *s, const struct aggregation_event *before,
                      const struct aggregation_event *event)
{
        if (!joins(s, before, event)) {
                s->out.notifications++;
                s->members = 0;
                s->held = false;
                s->began_ms = event->at_ms;
                s->n_actors++;
        }
        s->members++;
        s->actors[s->n_actors - 1] = event->actor;
        bool waits = aggregation_waits(s->rule, s->members);

        s->out.deliveries += !waits || !s->held; /* those that wait are merged into one */
        s->held = waits;
}

static int by_actor(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

static int64_t lines_of(const struct aggregation_rule *rule, size_t n)
{
        return (int64_t)n >= rule->least ? 1 : (int64_t)n;
}

static void end_member(struct simulation *s)
{
        if (s->rule->fold_by == FOLD_TYPE) {
                s->out.lines += lines_of(s->rule, s->n_actors);
        } else if (s->rule->fold_by == FOLD_ACTOR) {
                qsort(s->actors, s->n_actors, sizeof(*s->actors), by_actor);
                for (size_t from = 0, n = 1; from < s->n_actors; from += n, n = 1) {
                        while (from + n < s->n_actors && s->actors[from + n] == s->actors[from]) {
                                n++;
                        }
                        s->out.lines += lines_of(s->rule, n);
                }
        } else {
                s->out.lines += (int64_t)s->n_actors;
        }
        s->n_actors = 0;
}

struct aggregation_outcome aggregation_simulate(struct arena *arena, const struct aggregation_rule *rule,
                                                const struct aggregation_event *events, size_t n)
{
        struct simulation s = {.rule = rule, .actors = ARENA_ARRAY(arena, int64_t, n)};

        for (size_t i = 0; i < n; i++) {
                if (i > 0 && events[i].user != events[i - 1].user) {
                        end_member(&s);
                }
                add_event(&s, i > 0 ? &events[i - 1] : NULL, &events[i]);
        }
        end_member(&s);
        return s.out;
}
