/* Stream channels: checking methods with (sonet.method).channel, and emitting their rows in the table. */
#include "tools/gen.h"

#include <string.h>

#define REFUSE(...) gen_refuse(g, file, m->line, __VA_ARGS__)

static bool is_field(const struct gen_message *message, const char *name, size_t len)
{
        for (size_t i = 0; i < message->n_fields; i++) {
                const char *field = message->fields[i].proto->name;
                if (strncmp(field, name, len) == 0 && field[len] == '\0') {
                        return true;
                }
        }
        return false;
}

static void check_name(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        const char *name = m->options->channel->name;
        size_t word = strspn(name, "abcdefghijklmnopqrstuvwxyz_"), len = strlen(name);
        const char *variable = name + word + 2;
        if (word > 0 && word == len) {
                return;
        }
        if (word == 0 || len < word + 4 || strncmp(name + word, ":{", 2) != 0 ||
            strcspn(variable, "{}") != len - word - 3 || name[len - 1] != '}') {
                REFUSE("channel \"%s\" of method %s is malformed: it must be a word, or \"word:{variable}\"", name,
                       m->proto->name);
        } else if (!is_field(m->in, variable, len - word - 3)) {
                REFUSE("channel variable {%.*s} of method %s is not a field of %s", (int)(len - word - 3), variable,
                       m->proto->name, m->in->full_name);
        }
}

static bool has_internal(const struct gen_file *file, const char *name, const char *request)
{
        for (size_t i = 0; i < file->n_methods; i++) {
                const struct gen_method *m = &file->methods[i];
                if (strcmp(m->proto->name, name) == 0 && strcmp(m->options->access, "internal") == 0 &&
                    strcmp(m->in->full_name, request) == 0) {
                        return true;
                }
        }
        return false;
}

static void check_source(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        const Sonet__ChannelOptions *o = m->options->channel;
        if ((o->source[0] != '\0') == (o->lossy != 0)) {
                REFUSE("channel \"%s\" of method %s has %s: set exactly one of source and lossy", o->name,
                       m->proto->name, o->lossy ? "a source and is lossy" : "no source and is not lossy");
        }
}

static void check_acknowledge(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        const Sonet__ChannelOptions *o = m->options->channel;
        if (o->acknowledge[0] == '\0') {
                return;
        }
        if (!has_internal(file, o->acknowledge, "sonet.live.AcknowledgeRequest")) {
                REFUSE("channel \"%s\" of method %s acknowledges to %s, which does not exist: add the internal method "
                       "%s(sonet.live.AcknowledgeRequest)",
                       o->name, m->proto->name, o->acknowledge, o->acknowledge);
        }
        if (o->lossy || strcmp(m->options->access, "public") == 0) {
                REFUSE(
                    "channel \"%s\" of method %s cannot be acknowledged: it is lossy, or its access requires no member",
                    o->name, m->proto->name);
        }
}

void gen_check_channel(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        const Sonet__ChannelOptions *o = m->options->channel;
        if (o == NULL) {
                return;
        }
        check_name(g, file, m);
        check_source(g, file, m);
        check_acknowledge(g, file, m);
        if (m->options->http[0] != '\0' || strcmp(m->options->access, "internal") == 0 ||
            m->options->rate == SONET__RATE__RATE_NONE || strcmp(m->out->full_name, "sonet.live.Topic") != 0) {
                REFUSE("method %s is called when a client subscribes to \"%s\": give it an access for clients, a rate "
                       "and no route, and let it return sonet.live.Topic",
                       m->proto->name, o->name);
        }
        if (!has_internal(file, "RouteEvents", "sonet.live.RouteRequest") ||
            !has_internal(file, "ShowEvents", "sonet.live.ShowRequest")) {
                REFUSE("channel \"%s\" of method %s cannot send events: add the internal methods "
                       "RouteEvents(sonet.live.RouteRequest) and ShowEvents(sonet.live.ShowRequest)",
                       o->name, m->proto->name);
        }
}

static char *name_or_null(const char *name)
{
        return gen_string(name[0] != '\0' ? name : NULL);
}

void gen_emit_channel(FILE *out, const struct gen_method *m)
{
        const Sonet__ChannelOptions *o = m->options->channel;
        if (o != NULL) {
                fprintf(out, "                .channel = %s, .channel_source = %s, .channel_acknowledge = %s,\n",
                        gen_string(o->name), name_or_null(o->source), name_or_null(o->acknowledge));
        }
}
