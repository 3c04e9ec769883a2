/* Owns grouping hours. */
#include "services/analytics/spans.h"

#include "base/str.h"

struct people {
        struct str *ids;
        size_t n, max;
};

static bool is_among(const struct people *p, struct str id)
{
        for (size_t i = 0; i < p->n; i++) {
                if (str_equal(p->ids[i], id)) {
                        return true;
                }
        }
        return false;
}

static void add_people(struct people *p, const char *some)
{
        struct str rest = str_of(some), id;

        while (p->n < p->max && str_next(&rest, ',', &id)) {
                if (!is_among(p, id)) {
                        p->ids[p->n++] = id;
                }
        }
}

size_t spans_of(struct arena *arena, const struct span_hour *hours, size_t n, int64_t min, struct span *out)
{
        struct people p = {ARENA_ARRAY(arena, struct str, (size_t)min), 0, (size_t)min};
        size_t n_out = 0, first = 0;

        for (size_t i = 0; i < n; i++) {
                add_people(&p, hours[i].some);
                if (hours[i].people >= min || p.n >= p.max) {
                        out[n_out++] = (struct span){hours[first].from_ms, hours[i].from_ms + SPAN_HOUR_MS};
                        first = i + 1;
                        p.n = 0;
                }
        }
        return n_out;
}
