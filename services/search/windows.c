/* The size of a window follows from the expected share of matching notes and a table of the boundaries of the newest
 * and most engaged 16, 32, 64 … notes (search_steps). */
#include "services/search/windows.h"

#include <math.h>
#include <string.h>
#include "base/clock.h"
#include "base/uuid.h"

enum { HOUR_MS = 3600000, DAY = 24, DAYS = 32 * DAY, DAY_CODES = 10000000, DAYS_CODES = 20000000 };
enum { ROUNDS = 3, WIDER = 2, POPULAR = 10, CUT_BYTES = 2 << 20, ALL_MAX = 3000 };

/* ALL_MAX: reading up to this many matches takes less time than finding those of a window by the lists of its spans. */

/* How much larger windows are than expected to suffice. */
#define MARGIN 1.4

/* How many matches a window should contain. */
static double aim_of(const struct candidates_asked *asked)
{
        return asked->enough > 0 ? (double)asked->room : MARGIN * (double)asked->room;
}

static bool is_enough(const struct candidates_asked *asked, size_t n)
{
        return n == asked->room || (asked->enough > 0 && n >= asked->enough);
}

size_t window_spans(int64_t from, int64_t to, int64_t spans[WINDOW_SPANS_MAX])
{
        size_t n = 0;

        while (from <= to) {
                int64_t code = from, hours = 1;

                if (from % DAYS == 0 && from + DAYS - 1 <= to) {
                        code = DAYS_CODES + from / DAYS;
                        hours = DAYS;
                } else if (from % DAY == 0 && from + DAY - 1 <= to) {
                        code = DAY_CODES + from / DAY;
                        hours = DAY;
                }
                if (n == WINDOW_SPANS_MAX) {
                        return 0;
                }
                spans[n++] = code;
                from += hours;
        }
        return n;
}

static int64_t hour_of(const char *id)
{
        return uuid_time_ms(id) / HOUR_MS;
}

/* Rounds the beginning of a window that is much wider than a day down to a day. Rounds to 32 days only if it is years
 * wide, since most of its notes may be from its first days. */
static int64_t round_window(int64_t from, int64_t to)
{
        int64_t unit = to - from > 64 * DAYS ? DAYS : to - from > 4 * DAYS ? DAY : 1;

        return from - from % unit;
}

static const char *start_of_hour(struct arena *arena, int64_t hour)
{
        return uuid_at_ms(hour * HOUR_MS, arena_alloc(arena, UUID_SIZE));
}

/* ---- By time ---- */

struct window {
        int64_t from, to; /* hours */
        double notes;     /* approximate number of notes in it */
        bool last;        /* nothing older is requested */
};

/* About how many notes were written in a period, at the rate between two steps. */
static double notes_between(const struct step *newer, const struct step *older, int64_t ms)
{
        double took_ms = (double)(uuid_time_ms(newer->note_id) - uuid_time_ms(older->note_id));

        return took_ms > 0 ? (double)(older->notes - newer->notes) * (double)ms / took_ms : 0;
}

/* About how many notes are newer than id. Extrapolates beyond the oldest step. */
static double newer_than(const struct terms *terms, const char *id)
{
        size_t i = 0;

        if (id[0] == '\0' || terms->n_steps < 2 || strcmp(terms->steps[0].note_id, id) < 0) {
                return 0;
        }
        while (i + 2 < terms->n_steps && strcmp(terms->steps[i + 1].note_id, id) >= 0) {
                i++;
        }
        const struct step *newer = &terms->steps[i];

        return (double)newer->notes + notes_between(newer, newer + 1, uuid_time_ms(newer->note_id) - uuid_time_ms(id));
}

/* The hour since which about rank notes were written. Extrapolates beyond the oldest step. -1: before 1970. */
static int64_t hour_of_rank(const struct terms *terms, double rank)
{
        size_t i = 0;

        if (terms->n_steps < 2) {
                return -1;
        }
        while (i + 2 < terms->n_steps && (double)terms->steps[i + 1].notes < rank) {
                i++;
        }
        const struct step *newer = &terms->steps[i], *older = newer + 1;
        double part = fmax(rank - (double)newer->notes, 0) / (double)(older->notes - newer->notes);
        int64_t newer_ms = uuid_time_ms(newer->note_id), older_ms = uuid_time_ms(older->note_id);
        double ms = (double)newer_ms - part * (double)(newer_ms - older_ms);

        return ms < 0 ? -1 : (int64_t)ms / HOUR_MS;
}

/* Includes notes that are just arriving, even if the clock of the process that wrote them is ahead. */
static int64_t last_hour(const struct terms *terms, const char *below)
{
        int64_t newest = hour_of(terms->steps[0].note_id), now = clock_wall_ms() / HOUR_MS;
        int64_t latest = (now > newest ? now : newest) / DAYS * DAYS + 2 * DAYS - 1;

        return below[0] != '\0' && hour_of(below) < latest ? hour_of(below) : latest;
}

/* False if everything that is left should be read at once. */
static bool choose_window(const struct terms *terms, const struct candidates_asked *asked, double notes,
                          struct window *out)
{
        const char *below = asked->below[0] != '\0' ? asked->below : asked->before;
        int64_t newest = hour_of(below[0] != '\0' ? below : terms->steps[0].note_id);
        int64_t above = asked->above[0] != '\0' ? hour_of(asked->above) : -1;
        int64_t from = hour_of_rank(terms, newer_than(terms, below) + notes);

        out->from = from >= 0 ? round_window(from, newest) : -1;
        out->last = above >= 0 && above >= out->from;
        out->from = out->last ? above : out->from;
        out->to = last_hour(terms, below);
        out->notes = notes;
        return out->from >= 0;
}

/* The share of notes with at least min_likes. */
static double liked_share(const struct terms *terms, double n_notes)
{
        double notes = 0;

        for (size_t i = 0; i < terms->n_steps && terms->steps[i].engagement >= terms->min_likes; i++) {
                notes = (double)terms->steps[i].notes;
        }
        return terms->min_likes > 0 && notes < n_notes ? (notes > 1 ? notes : 1) / n_notes : 1;
}

/* Whether what is left is mostly within the window: its many spans would only be more lists to compare. */
static bool is_most(const struct terms *terms, const struct candidates_asked *asked, double notes)
{
        return newer_than(terms, asked->below) + notes > terms->n_notes / 2;
}

static sn_status read_more(struct rpc_call *c, const struct candidates_asked *asked, size_t *n,
                           SearchRows__Candidate **rows)
{
        SearchRows__Candidate **more = NULL;
        size_t n_more = 0;

        TRY(DB_READ(c, tx, store_candidates(tx, asked, &n_more, &more)));
        if (n_more > 0) {
                memcpy(rows + *n, more, n_more * sizeof(struct SearchRows__Candidate *));
        }
        *n += n_more;
        return SN_OK;
}

/* A read stops at 4 MiB of words (search_candidates). What it left out is newer than anything in older windows, so
 * nothing more is read, and the next page continues after the last match. */
bool windows_are_cut(SearchRows__Candidate *const *rows, size_t n)
{
        size_t bytes = 0;

        for (size_t i = 0; i < n; i++) {
                bytes += rows[i]->words.len;
        }
        return bytes > CUT_BYTES;
}

/* What is compared with each note instead of looked up is found by walking down until there is enough. */
static bool has_windows(const struct terms *terms, const struct terms_query *query,
                        const struct candidates_asked *asked)
{
        return query->index != NULL && asked->only == NULL && terms->n_steps > 0 && query->most > ALL_MAX;
}

sn_status windows_read_newest(struct rpc_call *c, const struct terms *terms, const struct terms_query *query,
                              const struct candidates_asked *asked, size_t *n, SearchRows__Candidate ***rows, bool *all)
{
        struct candidates_asked next = *asked;
        double share = query->share * liked_share(terms, terms->n_notes), notes = 0;
        struct window window = {.last = false};
        int64_t spans[WINDOW_SPANS_MAX];

        *rows = ARENA_ARRAY(c->arena, SearchRows__Candidate *, asked->room);
        *n = 0;
        *all = false;
        next.least_engaged = terms->min_likes; /* likes are reactions */
        for (int round = 0; round < ROUNDS && has_windows(terms, query, asked) && !window.last; round++) {
                size_t before = *n;

                next.room = asked->room - before;
                notes = fmax(aim_of(&next) / share, WIDER * notes);
                if (!choose_window(terms, &next, notes, &window) ||
                    (round > 0 && !window.last && is_most(terms, &next, notes))) {
                        window.last = false;
                        break;
                }
                next.spans = spans;
                next.n_spans = window_spans(window.from, window.to, spans);
                if (next.n_spans == 0) {
                        window.last = false;
                        break;
                }
                next.few = true;
                TRY(read_more(c, &next, n, *rows));
                if ((is_enough(asked, *n) && !window.last) || *n == asked->room || windows_are_cut(*rows, *n)) {
                        return SN_OK;
                }
                share = ((double)(*n - before) + 0.5) / window.notes;
                next.below = start_of_hour(c->arena, window.from);
        }
        next.n_spans = 0;
        next.room = asked->room - *n;
        TRY(window.last ? SN_OK : read_more(c, &next, n, *rows));
        *all = *n < asked->room && !windows_are_cut(*rows, *n);
        return SN_OK;
}

/* ---- By engagement ---- */

/* About the least number of reactions among the rank most engaged notes; at least POPULAR. */
static int64_t engagement_of_rank(const struct terms *terms, double rank)
{
        for (size_t i = 1; i < terms->n_steps; i++) {
                const struct step *more = &terms->steps[i - 1], *less = &terms->steps[i];

                if ((double)less->notes >= rank && less->engagement > 0) {
                        double part = log(rank / (double)more->notes) / log((double)less->notes / (double)more->notes);
                        double ratio = (double)less->engagement / (double)more->engagement;

                        return (int64_t)fmax((double)more->engagement * pow(ratio, fmax(part, 0)), POPULAR);
                }
        }
        return POPULAR;
}

/* The least number of reactions at which enough notes are expected to match. */
static int64_t least_engaged(const struct terms *terms, const struct candidates_asked *asked, double notes)
{
        double before = 0;

        for (size_t i = 0; i < terms->n_steps && terms->steps[i].engagement >= asked->most_engaged; i++) {
                before = (double)terms->steps[i].notes;
        }
        return engagement_of_rank(terms, before + notes);
}

/* The approximate share of notes that are newer. */
static double since_share(const struct terms *terms, const char *above)
{
        double newer = newer_than(terms, above);

        return above[0] == '\0' ? 1 : fmin(fmax(newer, 1) / terms->n_notes, 1);
}

/* False if the page continues below the popular notes. */
static bool is_popular_left(const struct candidates_asked *asked, bool popular)
{
        return popular || asked->below[0] == '\0' || asked->most_engaged >= POPULAR;
}

sn_status windows_read_engaged(struct rpc_call *c, const struct terms *terms, const struct terms_query *query,
                               const struct candidates_asked *asked, bool popular, size_t *n,
                               SearchRows__Candidate ***rows)
{
        struct candidates_asked next = *asked;
        bool narrow = query->index != NULL && asked->only == NULL;
        double aim = MARGIN * (double)asked->room, notes = aim / (query->share * since_share(terms, asked->above));

        next.few = query->few || narrow;
        for (int round = 0; is_popular_left(asked, popular); round++) {
                next.least_engaged = narrow && round < ROUNDS ? least_engaged(terms, asked, notes) : POPULAR;
                TRY(DB_READ(c, tx, store_candidates(tx, &next, n, rows)));
                if (is_enough(asked, *n) || (popular && next.least_engaged == POPULAR)) {
                        return SN_OK;
                }
                if (next.least_engaged == POPULAR) {
                        break;
                }
                notes = fmax(aim * notes / ((double)*n + 0.5), WIDER * notes);
        }
        next.least_engaged = 0;
        next.few = query->few;
        return DB_READ(c, tx, store_candidates(tx, &next, n, rows));
}
