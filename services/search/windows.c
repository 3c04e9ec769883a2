/* The size of a window follows from the expected share of matching notes and a table of the boundaries of the newest
 * and most engaged 16, 32, 64 … notes (search_steps). That share is an average: at night, or after a burst of notes,
 * the newest thousands may all have a word, or none of them. So a window after one with too few matches is only some
 * times larger, and in hours with many notes these are compared one by one until there are enough. */
#include "services/search/windows.h"

#include <math.h>
#include <string.h>
#include "base/clock.h"
#include "base/uuid.h"

enum { HOUR_MS = 3600000, DAY = 24, DAYS = 32 * DAY, DAY_CODES = 10000000, DAYS_CODES = 20000000 };
enum { ROUNDS = 8, POPULAR_ROUNDS = 3, WIDER = 2, POPULAR = 10, CUT_BYTES = 2 << 20, ALL_MAX = 3000 };

/* ALL_MAX: reading up to this many matches takes less time than finding those of a window by the lists of its spans. */

/* Comparing one note takes 0.5 us; reading a match by the lists of spans 2 us, after 500 us for the lists themselves.
 */
enum { NOTES_PER_MATCH = 4, NOTES_PER_WINDOW = 1000, WALKED_MAX = 10000 };

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

/* Before the IDs of a millisecond, and after those of the one before. */
static const char *boundary_at(struct arena *arena, int64_t ms)
{
        char *id = uuid_at_ms(ms, arena_alloc(arena, UUID_SIZE));

        id[14] = '0'; /* its version: no note has such an ID */
        return id;
}

static const char *start_of_hour(struct arena *arena, int64_t hour)
{
        return boundary_at(arena, hour * HOUR_MS);
}

/* How often a word occurs is known, but how often words occur together is a guess, and nothing is known of what has not
 * been counted: looking up all matches may take less time than reading as many notes as that suggests. */
static bool is_guess(const struct terms *terms, const struct terms_query *query)
{
        return query->whole && (query->share * terms->n_notes < 0.9 * query->most || query->most >= terms->n_notes);
}

/* ---- By time ---- */

struct window {
        int64_t from, to;  /* hours */
        const char *start; /* an ID: notes in it are newer */
        bool walked;       /* its notes are compared one by one, not looked up by its hours */
        bool last;         /* nothing older is left or requested */
        bool all;          /* it has all notes but those that were read before: no spans */
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

/* When the newest of the rank newest notes were written, or about that; 0 (1970) if there are not so many. */
static int64_t time_of_rank(const struct terms *terms, double rank)
{
        size_t i = 0;

        if (terms->n_steps < 2) {
                return 0;
        }
        while (i + 2 < terms->n_steps && (double)terms->steps[i + 1].notes < rank) {
                i++;
        }
        const struct step *newer = &terms->steps[i], *older = newer + 1;
        double part = fmax(rank - (double)newer->notes, 0) / (double)(older->notes - newer->notes);
        int64_t newer_ms = uuid_time_ms(newer->note_id), older_ms = uuid_time_ms(older->note_id);

        return (int64_t)fmax((double)newer_ms - part * (double)(newer_ms - older_ms), 0);
}

/* Includes notes that are just arriving, even if the clock of the process that wrote them is ahead. */
static int64_t last_hour(const struct terms *terms, const char *below)
{
        int64_t newest = hour_of(terms->steps[0].note_id), now = clock_wall_ms() / HOUR_MS;
        int64_t latest = (now > newest ? now : newest) / DAYS * DAYS + 2 * DAYS - 1;

        return below[0] != '\0' && hour_of(below) < latest ? hour_of(below) : latest;
}

/* Nothing in the next window is as new as this ID; "": no bound. */
static const char *below_of(const struct candidates_asked *asked)
{
        return asked->below[0] != '\0' ? asked->below : asked->before;
}

/* Whether comparing each of so many notes takes less time than reading all matches of the window's hours. */
static bool is_walked(struct arena *arena, const struct terms *terms, const struct window *window, double share,
                      double notes)
{
        double since = newer_than(terms, start_of_hour(arena, window->from));
        double until = newer_than(terms, start_of_hour(arena, window->to + 1));

        return notes <= WALKED_MAX && notes < NOTES_PER_WINDOW + NOTES_PER_MATCH * share * (since - until);
}

/* Of about so many notes, of which this share may match; of all that is left if that is not twice as many. */
static struct window choose_window(struct arena *arena, const struct terms *terms, const struct candidates_asked *asked,
                                   double share, double notes)
{
        const char *below = below_of(asked);
        double newer = newer_than(terms, below);
        bool older = below[0] != '\0' && strcmp(below, terms->steps[0].note_id) < 0;
        int64_t newest = hour_of(older ? below : terms->steps[0].note_id);
        int64_t from_ms = 2 * notes < terms->n_notes - newer ? time_of_rank(terms, newer + notes) : 0;
        struct window out = {.from = round_window(from_ms / HOUR_MS, newest), .to = last_hour(terms, below)};

        out.last = out.from == 0 || (asked->above[0] != '\0' && hour_of(asked->above) >= out.from);
        if (out.last) {
                out.from = asked->above[0] != '\0' ? hour_of(asked->above) : 0;
        }
        out.walked =
            !out.last && terms->min_likes == 0 && !asked->only_followed && is_walked(arena, terms, &out, share, notes);
        out.start = out.walked ? boundary_at(arena, from_ms) : start_of_hour(arena, out.from);
        return out;
}

/* About how many notes have so many reactions or more. */
static double notes_with(const struct terms *terms, int64_t engagement)
{
        double notes = 0;

        for (size_t i = 0; i < terms->n_steps && terms->steps[i].engagement >= engagement; i++) {
                notes = (double)terms->steps[i].notes;
        }
        return notes;
}

/* The share of notes with at least min_likes. */
static double liked_share(const struct terms *terms)
{
        double notes = fmax(notes_with(terms, terms->min_likes), 1);

        return terms->min_likes > 0 ? fmin(notes / terms->n_notes, 1) : 1;
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

/* What is compared with each note instead of looked up is found by walking down until there is enough. Popular matches
 * are so few that all are read: their index has no spans. */
static bool has_windows(const struct terms *terms, const struct terms_query *query,
                        const struct candidates_asked *asked)
{
        return query->index != NULL && asked->only == NULL && terms->n_steps > 0 && query->most > ALL_MAX &&
               terms->min_likes < POPULAR;
}

static sn_status read_window(struct rpc_call *c, const struct window *window, const struct terms_query *query,
                             const struct candidates_asked *asked, size_t *n, SearchRows__Candidate **rows)
{
        struct candidates_asked within = *asked;
        int64_t spans[WINDOW_SPANS_MAX];

        within.few = !window->walked;
        if (window->walked) {
                within.query = NULL;
                within.rest = query->text;
                within.above = window->start;
        } else if (!window->all) {
                within.spans = spans;
                within.n_spans = window_spans(window->from, window->to, spans);
        }
        return read_more(c, &within, n, rows);
}

/* After a window of so many notes, the share of those that matched says more than a guess. */
enum { GUESSED_NOTES = 30000 };

/* Whether it is known by now that there are so few matches that all of them should be read at once. */
static bool are_few_left(const struct terms *terms, const struct candidates_asked *asked, double share, double before)
{
        return before >= GUESSED_NOTES && share * terms->n_notes < 2 * (double)asked->room;
}

/* Too large a window should not have more matches than that, which are read in 3 ms. */
enum { MATCHES_MAX = 1500 };

/* How many notes the next window should have, by the share of those that matched in the one before. If none did, they
 * may just be unlike the others: so not many more than are needed if all notes match that can. */
static double next_notes(const struct terms *terms, const struct terms_query *query,
                         const struct candidates_asked *asked, double share, double before)
{
        double notes = aim_of(asked) / share, most = fmax(MATCHES_MAX * terms->n_notes / query->most, WIDER * before);

        return before == 0 ? notes : fmin(fmax(notes, WIDER * before), most);
}

sn_status windows_read_newest(struct rpc_call *c, const struct terms *terms, const struct terms_query *query,
                              const struct candidates_asked *asked, size_t *n, SearchRows__Candidate ***rows, bool *all)
{
        struct candidates_asked next = *asked;
        double usual = query->share * liked_share(terms), share = usual, notes = 0;
        struct window window = {.last = !has_windows(terms, query, asked)};

        *rows = ARENA_ARRAY(c->arena, SearchRows__Candidate *, asked->room);
        *n = 0;
        *all = false;
        next.least_engaged = terms->min_likes; /* likes are reactions */
        if (window.last) {
                next.few = asked->few || (query->index != NULL && terms->min_likes >= POPULAR);
                TRY(read_more(c, &next, n, *rows));
        }
        for (int round = 1; !window.last && !windows_are_cut(*rows, *n); round++) {
                size_t before = *n;

                next.room = asked->room - before;
                bool rest = round == ROUNDS || (is_guess(terms, query) && are_few_left(terms, asked, share, notes));
                notes = next_notes(terms, query, &next, share, notes);
                window = choose_window(c->arena, terms, &next, usual, rest ? terms->n_notes : notes);
                window.all = window.from == 0 && below_of(asked)[0] == '\0';
                TRY(read_window(c, &window, query, &next, n, *rows));
                if (!window.last && is_enough(asked, *n)) {
                        return SN_OK;
                }
                share = ((double)(*n - before) + 0.5) / notes;
                next.below = window.start;
        }
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
        return engagement_of_rank(terms, notes_with(terms, asked->most_engaged) + notes);
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

/* By n popular matches from where the page begins: whether reading all others takes less time than walking down until
 * there are enough. */
static bool are_few_engaged(const struct terms *terms, const struct candidates_asked *asked, size_t n)
{
        double popular = notes_with(terms, POPULAR) - notes_with(terms, asked->most_engaged);
        double matches = ((double)n + 0.5) / fmax(popular, 1) * terms->n_notes;

        return n < asked->room && matches * matches < (double)asked->room * terms->n_notes;
}

/* The unpopular matches, after n popular ones were read, or none because the page begins after them. */
static sn_status read_unpopular(struct rpc_call *c, const struct terms *terms, const struct terms_query *query,
                                const struct candidates_asked *asked, size_t *n, SearchRows__Candidate ***rows)
{
        struct candidates_asked next = *asked;
        bool guess = query->index != NULL && asked->only == NULL && !query->few && is_guess(terms, query);
        SearchRows__Candidate **popular = NULL;
        size_t n_popular = *n;

        if (guess && !is_popular_left(asked, false)) {
                next.below = "";
                next.most_engaged = INT64_MAX;
                next.least_engaged = POPULAR;
                next.few = true;
                TRY(DB_READ(c, tx, store_candidates(tx, &next, &n_popular, &popular)));
        }
        next.few = query->few || (guess && are_few_engaged(terms, &next, n_popular));
        next.below = asked->below;
        next.most_engaged = asked->most_engaged;
        next.least_engaged = 0;
        return DB_READ(c, tx, store_candidates(tx, &next, n, rows));
}

sn_status windows_read_engaged(struct rpc_call *c, const struct terms *terms, const struct terms_query *query,
                               const struct candidates_asked *asked, bool popular, size_t *n,
                               SearchRows__Candidate ***rows)
{
        struct candidates_asked next = *asked;
        bool narrow = query->index != NULL && asked->only == NULL;
        int64_t least = terms->min_likes > POPULAR ? terms->min_likes : POPULAR;
        double aim = MARGIN * (double)asked->room, notes = aim / (query->share * since_share(terms, asked->above));

        *n = 0;
        popular = popular || terms->min_likes >= POPULAR; /* likes are reactions */
        next.few = query->few || narrow;
        for (int round = 0; is_popular_left(asked, popular); round++) {
                next.least_engaged = narrow && round < POPULAR_ROUNDS ? least_engaged(terms, asked, notes) : least;
                next.least_engaged = next.least_engaged > least ? next.least_engaged : least;
                TRY(DB_READ(c, tx, store_candidates(tx, &next, n, rows)));
                if (is_enough(asked, *n) || (popular && next.least_engaged == least)) {
                        return SN_OK;
                }
                if (next.least_engaged == least) {
                        break;
                }
                notes = fmax(aim * notes / ((double)*n + 0.5), WIDER * notes);
        }
        return read_unpopular(c, terms, query, asked, n, rows);
}
