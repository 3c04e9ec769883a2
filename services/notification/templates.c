/* Owns choosing and validating templates. */
#include "services/notification/templates.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include "services/notification/mails.h"
#include "services/notification/sentence.h"
#include "services/notification/store.h"
#include "services/notification/words.h"

sn_status templates_load(struct db_tx *tx, enum channel channel, const struct templates **out)
{
        struct templates *all = ARENA_NEW(db_arena(tx), struct templates);

        *out = all;
        return store_templates(tx, channel, &all->n, &all->rows);
}

static bool is_mail(const char *type)
{
        return strcmp(type, TEMPLATE_SINGLE) == 0 || strcmp(type, TEMPLATE_DIGEST) == 0;
}

bool template_exists(const char *type, enum channel channel)
{
        enum notification_type found;

        return channel == CHANNEL_EMAIL
                   ? is_mail(type) || (type_find(type, &found) && !type_is_security(found))
                   : (channel == CHANNEL_PUSH && type_find(type, &found)) ||
                         (channel == CHANNEL_SMS && type_find(type, &found) && !type_is_security(found));
}

const char *template_missing(struct arena *arena, const char *type, const char *channel)
{
        enum notification_type found;
        bool known = type_find(type, &found);

        if (!known && !is_mail(type)) {
                return arena_printf(arena, "there is no type %s: types are %s, and for mails also %s and %s", type,
                                    type_names(), TEMPLATE_SINGLE, TEMPLATE_DIGEST);
        }
        if (strcmp(channel, channel_name(CHANNEL_EMAIL)) == 0) {
                return arena_printf(arena, "mails of %s are about security and have no template", type);
        }
        if (strcmp(channel, channel_name(CHANNEL_SMS)) == 0 && known) {
                return arena_printf(arena, "%s is about security and not sent by SMS", type);
        }
        return known ? arena_printf(arena, "there is no channel %s with templates: channels are push, email and sms",
                                    channel)
                     : arena_printf(arena, "%s is a mail: its channel is email", type);
}

/* Finds the template in a two-letter language. False if there is none. */
static bool find_template(const struct templates *saved, const char *language, struct template_text *out)
{
        const char *own = is_mail(out->type) ? mails_source(out->type, language) : words_source(out->type, language);

        out->language = language;
        for (size_t i = 0; saved != NULL && i < saved->n; i++) {
                const NotificationRows__Template *row = saved->rows[i];

                if (strcmp(row->type, out->type) == 0 && strcmp(row->language, language) == 0 &&
                    row->source[0] != '\0') {
                        out->version = row->version;
                        out->source = row->source;
                        return true;
                }
        }
        out->version = 0;
        out->source = own;
        return own != NULL;
}

struct template_text templates_choose(const struct templates *saved, const char *type, enum channel channel,
                                      const char *tag)
{
        struct template_text out = {.type = type, .channel = channel};
        static const char *const known[] = {"en", "de"};
        size_t len = strcspn(tag, "-");

        for (size_t i = 0; saved != NULL && i < saved->n; i++) {
                const char *language = saved->rows[i]->language;

                if (strlen(language) == len && strncasecmp(language, tag, len) == 0 &&
                    find_template(saved, language, &out)) {
                        return out;
                }
        }
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
                if (strlen(known[i]) == len && strncasecmp(known[i], tag, len) == 0 &&
                    find_template(saved, known[i], &out)) {
                        return out;
                }
        }
        if (!find_template(saved, "en", &out)) { /* a type unknown to this version */
                out.source = type;
        }
        return out;
}

char *template_label(struct arena *arena, const struct template_text *text)
{
        return arena_printf(arena, "%s/%s/%s@%" PRId64, text->type, channel_name(text->channel), text->language,
                            text->version);
}

/* ---- Validation ---- */

/* The three lines are for one, two and more actors; each may only use the variables that exist then. */
static bool check_line(struct str line, size_t number, struct buf *error, struct arena *arena)
{
        static const char *const names[] = {"1", "2", "n"};
        struct str unknown;

        if (line.len == 0) {
                buf_append_c(error, "must not contain empty lines");
                return false;
        }
        if (!sentence_check(str_dup(arena, line), names, number, &unknown)) {
                buf_printf(
                    error,
                    "uses the unknown variable {%.*s} in line %zu; use {1}, from the second line on {2}, and in the "
                    "third {n}",
                    (int)unknown.len, unknown.ptr, number);
                return false;
        }
        return true;
}

static bool check_sentence(struct arena *arena, const char *source, struct buf *error)
{
        struct str rest = str_of(source), line;
        size_t n = 0;

        while (rest.len > 0 && n < 4) {
                (void)str_next(&rest, '\n', &line);
                if (!check_line(line, ++n > 3 ? 3 : n, error, arena)) {
                        return false;
                }
        }
        if (n != 1 && n != 3) {
                buf_append_c(error, "must have one line, or three lines: for one, two and more members");
                return false;
        }
        return true;
}

bool template_check(struct arena *arena, const char *type, const char *source, struct buf *error)
{
        return is_mail(type) ? mails_check(arena, type, source, error) : check_sentence(arena, source, error);
}

/* ---- Samples ---- */

Notification__Notification template_sample_of(struct arena *arena, const char *type, int64_t people)
{
        static const char *const names[] = {"Ada Lovelace", "Bob <b>&</b> Co.", "Cem"};
        Notification__Notification out = NOTIFICATION__NOTIFICATION__INIT;

        out.id = uuid_new_in(arena);
        out.group_key = arena_printf(arena, "%s:%s", type, out.id);
        out.type = (char *)type;
        out.actors_count = people;
        out.actors = ARENA_ARRAY(arena, User__Author *, 3);
        while (out.n_actors < 3 && (int64_t)out.n_actors < people) {
                User__Author *author = ARENA_NEW(arena, User__Author);

                user__author__init(author);
                author->display_name = (char *)names[out.n_actors];
                out.actors[out.n_actors++] = author;
        }
        return out;
}

/* The sentence that is previewed, or a sample sentence for the mail that is. */
static const char *sample_headline(struct arena *arena, const struct templates *saved, const struct template_text *text,
                                   int64_t people)
{
        bool mail = is_mail(text->type);
        struct template_text sentence =
            mail ? templates_choose(saved, type_name(TYPE_LIKE), CHANNEL_EMAIL, text->language) : *text;
        Notification__Notification n = template_sample_of(arena, sentence.type, people);

        return headline_of(arena, sentence.source, &n);
}

static struct template_text sample_mail(const struct templates *saved, const struct template_text *text)
{
        return is_mail(text->type) ? *text : templates_choose(saved, TEMPLATE_SINGLE, CHANNEL_EMAIL, text->language);
}

bool template_preview(struct arena *arena, const struct templates *saved, const struct template_text *text,
                      int64_t people, struct template_sample *out, struct buf *error)
{
        const char *headline = sample_headline(arena, saved, text, people);
        struct template_text mail = sample_mail(saved, text);
        struct mail_rendered rendered;

        if (text->channel != CHANNEL_EMAIL) {
                out->title = headline;
                return true;
        }
        if (!mails_render_sample(arena, &mail, headline, &rendered, error)) {
                return false;
        }
        out->subject = rendered.subject;
        out->text = rendered.text;
        out->html = rendered.html;
        return true;
}

sn_status template_mail_sample(struct db_tx *tx, const struct templates *saved, const struct template_text *text,
                               const char *to)
{
        struct template_text mail = sample_mail(saved, text);

        return mails_write_sample(tx, &mail, sample_headline(db_arena(tx), saved, text, 1), to);
}
