/* Owns translating filters. */
#include "services/search/filters.h"

#include <string.h>
#include <time.h>
#include "base/str.h"
#include "base/text.h"
#include "base/uuid.h"
#include "services/member.h"
#include "services/page.h"
#include "services/search/search.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static sn_status filter_member(struct rpc_call *c, const struct query *filter, const char *sign, const char **lexeme)
{
        char *id = NULL;

        if (strcmp(filter->text, "me") == 0) {
                *lexeme = arena_printf(c->arena, ":%s:%s", sign, c->actor[0] != '\0' ? c->actor : "-");
                return SN_OK;
        }
        sn_status status = strlen(filter->text) <= 36 ? member_find(c, (char *)filter->text, &id) : SN_NOT_FOUND;
        if (status != SN_OK && status != SN_NOT_FOUND) {
                return status;
        }
        *lexeme = arena_printf(c->arena, ":%s:%s", sign, status == SN_OK ? id : "-");
        return SN_OK;
}

/* Members with a block between them and the reader are treated as if they did not exist. */
static sn_status filter_addressee(struct rpc_call *c, const struct query *filter, const char **lexeme)
{
        Follow__GetRelationsRequest in = FOLLOW__GET_RELATIONS_REQUEST__INIT;
        Follow__Relations out = FOLLOW__RELATIONS__INIT;

        TRY(filter_member(c, filter, "to", lexeme));
        char *id = (char *)*lexeme + strlen(":to:");
        if (id[0] == '-') {
                return SN_OK;
        }
        in.viewer_id = (char *)c->actor;
        in.user_ids = &id;
        in.n_user_ids = 1;
        TRY(follow_get_relations(c, &in, &out));
        *lexeme = out.n_items == 1 && page_admits_unblocked(NULL, out.items[0]) ? *lexeme : ":to:-";
        return SN_OK;
}

static sn_status filter_word(struct rpc_call *c, const struct query *filter, const char *sign, const char *const *words,
                             const char *wants, const char **lexeme)
{
        for (size_t i = 0; words[i] != NULL; i++) {
                if (str_equal_nocase(str_of(filter->text), str_of(words[i]))) {
                        *lexeme = arena_printf(c->arena, ":%s:%s", sign, words[i]);
                        return SN_OK;
                }
        }
        return terms_fail(c, filter->at, wants);
}

static sn_status filter_language(struct rpc_call *c, const struct query *filter, const char **lexeme)
{
        char *code = text_casefold_nfkc(c->arena, filter->text);

        if (strlen(code) < 2 || strlen(code) > 3 || strspn(code, "abcdefghijklmnopqrstuvwxyz") != strlen(code)) {
                return terms_fail(c, filter->at, "lang: with the code of a language, like lang:de");
        }
        *lexeme = arena_printf(c->arena, ":lang:%s", code);
        return SN_OK;
}

/* Rejects texts longer than anything in the index. */
static sn_status check_length(struct rpc_call *c, const struct query *filter, const char *text)
{
        return strlen(text) <= LEXEME_MAX_BYTES ? SN_OK : terms_fail(c, filter->at, "a shorter value");
}

static sn_status filter_tag(struct rpc_call *c, const struct query *filter, const char **lexeme)
{
        const char *text = text_casefold_nfkc(c->arena, filter->text[0] == '#' ? filter->text + 1 : filter->text);

        TRY(check_length(c, filter, text));
        *lexeme = arena_printf(c->arena, "#%s", text);
        return SN_OK;
}

/* A host, alone or in a URL. */
static sn_status filter_host(struct rpc_call *c, const struct query *filter, const char **lexeme)
{
        char *text = text_casefold_nfkc(c->arena, filter->text), *start = strstr(text, "://");

        start = start != NULL ? start + 3 : text;
        start[strcspn(start, "/:?#")] = '\0';
        if (strchr(start, '.') == NULL) {
                return terms_fail(c, filter->at, "url: with a host, like url:example.org");
        }
        TRY(check_length(c, filter, start));
        *lexeme = arena_printf(c->arena, "/%s", start);
        return SN_OK;
}

/* ---- Filters of the whole query ---- */

static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
        int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
        int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

        return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool filter_part(struct str *text, size_t len, int64_t least, int64_t most, int64_t *out)
{
        struct str digits = {text->ptr, len};

        if (text->len < len || !str_to_i64(digits, out) || *out < least || *out > most) {
                return false;
        }
        *text = (struct str){text->ptr + len, text->len - len};
        return true;
}

static bool skip_hyphen(struct str *text)
{
        if (text->len == 0 || text->ptr[0] != '-') {
                return false;
        }
        *text = (struct str){text->ptr + 1, text->len - 1};
        return true;
}

static int64_t days_of(int64_t year, int64_t month)
{
        static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        return lengths[month - 1] + (month == 2 && leap);
}

/* Parses a day, month or year in UTC: 2026-11-27, 2026-11, 2026. The end is exclusive. */
static bool read_period(const char *text, int64_t *from_ms, int64_t *end_ms)
{
        struct str rest = str_of(text);
        int64_t year, month = 1, day = 1, end;
        bool months, days;

        if (!filter_part(&rest, 4, 1970, 9999, &year)) {
                return false;
        }
        months = skip_hyphen(&rest);
        if (months && !filter_part(&rest, 2, 1, 12, &month)) {
                return false;
        }
        days = months && skip_hyphen(&rest);
        if (days && !filter_part(&rest, 2, 1, days_of(year, month), &day)) {
                return false;
        }
        end = days     ? days_since_1970(year, month, day) + 1
              : months ? days_since_1970(year + month / 12, month % 12 + 1, 1)
                       : days_since_1970(year + 1, 1, 1);
        *from_ms = days_since_1970(year, month, day) * DAY_MS;
        *end_ms = end * DAY_MS;
        return rest.len == 0;
}

/* Several filters are combined to the narrowest bounds. */
static sn_status filter_bound(struct rpc_call *c, const struct query *filter, struct terms *terms)
{
        char id[UUID_SIZE];
        int64_t from_ms, end_ms;

        if (!read_period(filter->text, &from_ms, &end_ms)) {
                return terms_fail(c, filter->at,
                                  "a day of the calendar behind the colon, like 2026-11-27, or a month or a year");
        }
        if (filter->filter != FILTER_UNTIL && strcmp(uuid_at_ms(from_ms, id), terms->above) > 0) {
                terms->above = arena_strdup(c->arena, id);
        }
        if (filter->filter != FILTER_SINCE &&
            (terms->below[0] == '\0' || strcmp(uuid_at_ms(end_ms, id), terms->below) < 0)) {
                terms->below = arena_strdup(c->arena, uuid_at_ms(end_ms, id));
        }
        return SN_OK;
}

static sn_status filter_likes(struct rpc_call *c, const struct query *filter, struct terms *terms)
{
        if (!str_to_i64(str_of(filter->text), &terms->min_likes) || terms->min_likes < 0) {
                return terms_fail(c, filter->at, "a number after min_likes:");
        }
        return SN_OK;
}

static sn_status filter_place(struct rpc_call *c, const struct query *filter, struct terms *terms, const char **lexeme)
{
        if (c->actor[0] == '\0') {
                return rpc_fail(c, SN_UNAUTHENTICATED, NULL,
                                "in: finds your own notes or those of members you follow; log in first");
        }
        if (strcmp(filter->text, "mine") == 0) {
                *lexeme = arena_printf(c->arena, ":from:%s", c->actor);
                return SN_OK;
        }
        if (strcmp(filter->text, "following") == 0) {
                terms->only_followed = true;
                return SN_OK;
        }
        if (strcmp(filter->text, "bookmarks") == 0) {
                terms->only_bookmarked = true;
                return SN_OK;
        }
        return terms_fail(c, filter->at, "in:mine, in:following or in:bookmarks");
}

sn_status filter_lexeme(struct rpc_call *c, const struct query *filter, bool whole, struct terms *terms,
                        const char **lexeme)
{
        static const char *const kinds[] = {"comment", NULL}, *const contents[] = {"link",  "media", "image",
                                                                                   "video", "audio", NULL};

        *lexeme = NULL;
        switch (filter->filter) {
        case FILTER_FROM:
                return filter_member(c, filter, "from", lexeme);
        case FILTER_TO:
                return filter_addressee(c, filter, lexeme);
        case FILTER_MENTIONS:
                return filter_member(c, filter, "mentions", lexeme);
        case FILTER_LANG:
                return filter_language(c, filter, lexeme);
        case FILTER_HAS:
                return filter_word(c, filter, "has", contents, "has:link, has:media, has:image, has:video or has:audio",
                                   lexeme);
        case FILTER_IS:
                return filter_word(c, filter, "is", kinds, "is:comment", lexeme);
        case FILTER_TAG:
                return filter_tag(c, filter, lexeme);
        case FILTER_URL:
                return filter_host(c, filter, lexeme);
        default:
                break;
        }
        if (filter->filter == FILTER_IN && strcmp(filter->text, "mine") == 0) {
                return filter_place(c, filter, terms, lexeme);
        }
        if (!whole) {
                return terms_fail(c, filter->at,
                                  "this filter outside of groups, OR and -, since it applies to the whole query");
        }
        return filter->filter == FILTER_IN          ? filter_place(c, filter, terms, lexeme)
               : filter->filter == FILTER_MIN_LIKES ? filter_likes(c, filter, terms)
                                                    : filter_bound(c, filter, terms);
}
