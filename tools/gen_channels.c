/* Channels of the stream: what a method with (sonet.method).channel must be, and what its row in the table says. */
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
                REFUSE("channel \"%s\" of method %s is not understood: it is a word, or \"word:{variable}\"", name,
                       m->proto->name);
        } else if (!is_field(m->in, variable, len - word - 3)) {
                REFUSE("channel variable {%.*s} of method %s is no field of %s", (int)(len - word - 3), variable,
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
                REFUSE("channel \"%s\" of method %s follows %s: please give it a source, or say that it is lossy",
                       o->name, m->proto->name, o->lossy ? "a log and is lossy" : "no log");
        }
}

static void check_acknowledge(struct gen *g, const struct gen_file *file, const struct gen_method *m)
{
        const Sonet__ChannelOptions *o = m->options->channel;
        if (o->acknowledge[0] == '\0') {
                return;
        }
        if (!has_internal(file, o->acknowledge, "sonet.live.AcknowledgeRequest")) {
                REFUSE("channel \"%s\" of method %s is acknowledged to %s, which is not there: please give the service "
                       "the "
                       "internal method %s(sonet.live.AcknowledgeRequest)",
                       o->name, m->proto->name, o->acknowledge, o->acknowledge);
        }
        if (o->lossy || strcmp(m->options->access, "public") == 0) {
                REFUSE("channel \"%s\" of method %s cannot be acknowledged: it has no positions, or no member", o->name,
                       m->proto->name);
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
                REFUSE(
                    "method %s is asked when a client subscribes to \"%s\": please give it an access that clients may "
                    "have, a rate and no route, and let it answer sonet.live.Topic",
                    m->proto->name, o->name);
        }
        if (!has_internal(file, "RouteEvents", "sonet.live.RouteRequest") ||
            !has_internal(file, "ShowEvents", "sonet.live.ShowRequest")) {
                REFUSE("channel \"%s\" of method %s says nothing: please give the service the internal methods "
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
