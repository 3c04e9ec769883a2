/* <path>.rpc.c: the tables of base/contract.h, which need nothing but the messages; <path>.stubs.c: calls by other
 * services, which need rpc/. */
#include "tools/gen.h"

#include <inttypes.h>
#include <string.h>

/* POSIX matching starts anywhere; a pattern means the whole text. */
static const char *anchored(const char *pattern)
{
        size_t len = strlen(pattern);
        if (len == 0) {
                return NULL;
        }
        if (pattern[0] == '^' && len > 1 && pattern[len - 1] == '$' && strchr(pattern, '|') == NULL) {
                return pattern;
        }
        return gen_printf("^(%s)$", pattern);
}

static const char *format_name(Sonet__Format format)
{
        static const char *const names[] = {"FIELD_FORMAT_NONE", "FIELD_FORMAT_UUID", "FIELD_FORMAT_EMAIL",
                                            "FIELD_FORMAT_CURSOR"};
        return names[format];
}

static const char *empty_name(Sonet__Empty empty)
{
        static const char *const names[] = {"FIELD_EMPTY_SHOW", "FIELD_EMPTY_NULL", "FIELD_EMPTY_OMIT"};
        return names[empty];
}

static void emit_number(FILE *out, const char *member, uint32_t value)
{
        if (value != 0) {
                fprintf(out, ", .%s = %" PRIu32, member, value);
        }
}

/* The smallest int64 has no literal of its own in C. */
static const char *bound(int64_t value)
{
        return value == INT64_MIN ? "INT64_MIN" : gen_printf("INT64_C(%" PRId64 ")", value);
}

static void emit_field(FILE *out, const struct gen_field *field)
{
        const Sonet__FieldOptions *o = field->options;
        fprintf(out, "        {.format = %s, .empty = %s", format_name(o->format), empty_name(o->empty));
        emit_number(out, "min_length", o->min_length);
        emit_number(out, "max_length", o->max_length);
        emit_number(out, "max_items", o->max_items);
        if (field->has_range) {
                fprintf(out, ", .has_range = true, .min = %s, .max = %s", bound(field->min), bound(field->max));
        }
        fputs(o->required ? ", .required = true" : "", out);
        fputs(o->secret ? ", .secret = true" : "", out);
        if (anchored(o->pattern) != NULL) {
                fprintf(out, ", .pattern = %s", gen_string(anchored(o->pattern)));
        }
        if (field->doc != NULL) {
                fprintf(out, ", .doc = %s", gen_string(field->doc));
        }
        fprintf(out, "}, /* %s */\n", field->proto->name);
}

static void emit_rules(FILE *out, const struct gen_file *file)
{
        for (const struct gen_message *m = file->messages; m != NULL; m = m->next) {
                if (m->n_fields > 0) {
                        fprintf(out, "static const struct rpc_field_rule %s_fields[] = {\n", gen_lower(m->full_name));
                        for (size_t i = 0; i < m->n_fields; i++) {
                                emit_field(out, &m->fields[i]);
                        }
                        fputs("};\n\n", out);
                }
        }
        fputs("static const struct rpc_message_rules messages[] = {\n", out);
        for (const struct gen_message *m = file->messages; m != NULL; m = m->next) {
                const char *lower = gen_lower(m->full_name);
                const char *fields = m->n_fields > 0 ? gen_printf("%s_fields", lower) : "NULL";
                fprintf(out, "        {.descriptor = &%s__descriptor, .fields = %s, .doc = %s},\n", lower, fields,
                        gen_string(m->doc));
        }
        fputs("};\n", out);
}

static void emit_thunk(FILE *out, const struct gen_file *file, const struct gen_method *m)
{
        const char *member = gen_member(m->proto->name);
        fprintf(out,
                "\nstatic sn_status invoke_%s(const void *handlers, struct rpc_call *c, const ProtobufCMessage *in, "
                "ProtobufCMessage *out)\n{\n"
                "        const struct %s_handlers *h = handlers;\n"
                "        return h->%s == NULL ? SN_UNIMPLEMENTED : h->%s(c, (const %s *)in, (%s *)out);\n}\n",
                gen_lower(m->proto->name), gen_lower(file->name), member, member, gen_camel(m->in->full_name),
                gen_camel(m->out->full_name));
}

static const char *access_of(const struct gen_method *m)
{
        if (strcmp(m->options->access, "public") == 0) {
                return ".access = RPC_PUBLIC";
        }
        if (strcmp(m->options->access, "internal") == 0) {
                return ".access = RPC_INTERNAL";
        }
        return gen_printf(".access = RPC_SCOPE, .scope = %s", gen_string(m->options->access));
}

static void emit_method(FILE *out, const struct gen_file *file, const struct gen_method *m)
{
        static const char *const rates[] = {"RPC_RATE_NONE", "RPC_RATE_READ", "RPC_RATE_WRITE", "RPC_RATE_AUTH"};
        static const char *const idempotency[] = {"RPC_IDEMPOTENCY_NONE", "RPC_IDEMPOTENCY_KEY"};
        static const char *const lanes[] = {"RPC_LANE_GENERAL", "RPC_LANE_PASSWORD"};
        const Sonet__MethodOptions *o = m->options;
        fprintf(out, "        [%s_%s] = {.service = &%s_contract, .name = \"%s\", .full_name = \"/%s.%s/%s\",\n",
                gen_upper(file->name), gen_upper(m->proto->name), gen_lower(file->name), m->proto->name,
                file->proto->package, file->service->name, m->proto->name);
        fprintf(out, "                .in = &%s__descriptor, .out = &%s__descriptor,\n", gen_lower(m->in->full_name),
                gen_lower(m->out->full_name));
        fprintf(out, "                .http_verb = %s, .http_path = %s, %s,\n", gen_string(m->verb),
                gen_string(m->path), access_of(m));
        fprintf(out,
                "                .rate = %s, .idempotency = %s, .lane = %s, .deadline_ms = %" PRIu32
                ", .success_status = %" PRIu32 "%s%s,\n",
                rates[o->rate], idempotency[o->idempotency], lanes[o->lane], o->deadline_ms,
                o->success == 0 ? 200 : o->success, o->empty_is_204 ? ", .empty_is_204 = true" : "",
                gen_find_secret(m->out) != NULL ? ", .answer_is_secret = true" : "");
        gen_emit_channel(out, m);
        fprintf(out, "                .summary = %s, .doc = %s,\n                .invoke = invoke_%s},\n",
                gen_string(m->summary), gen_string(m->doc), gen_lower(m->proto->name));
}

static void emit_methods(FILE *out, const struct gen_file *file)
{
        for (size_t i = 0; i < file->n_methods; i++) {
                emit_thunk(out, file, &file->methods[i]);
        }
        fprintf(out, "\nconst struct rpc_method %s_methods[%s_METHOD_COUNT] = {\n", gen_lower(file->name),
                gen_upper(file->name));
        for (size_t i = 0; i < file->n_methods; i++) {
                emit_method(out, file, &file->methods[i]);
        }
        fputs("};\n", out);
}

static void emit_names(FILE *out, const char *variable, size_t n, char *const *names)
{
        fprintf(out, "static const char *const %s[] = {", variable);
        for (size_t i = 0; i < n; i++) {
                fprintf(out, "%s, ", gen_string(names[i]));
        }
        fputs("NULL};\n", out);
}

static void emit_callees(FILE *out, const struct gen_file *file)
{
        fputc('\n', out);
        emit_names(out, "calls", file->service_options->n_calls, file->service_options->calls);
        emit_names(out, "reads", file->service_options->n_reads, file->service_options->reads);
}

void gen_emit_source(FILE *out, const struct gen_file *file)
{
        const char *name = gen_lower(file->name);
        fprintf(out, "/* Made by protoc-gen-sonet from %s: do not edit. */\n#include \"%s.rpc.h\"\n\n",
                file->proto->name, file->stem);
        if (file->messages != NULL) {
                emit_rules(out, file);
        }
        if (file->n_methods > 0) {
                emit_methods(out, file);
        }
        if (file->service != NULL) {
                emit_callees(out, file);
        }
        fprintf(out,
                "\nconst struct rpc_service %s_contract = {\n        .name = \"%s\", .package = \"%s\", .doc = %s,\n",
                name, file->name, file->proto->package, gen_string(file->service_doc));
        if (file->n_methods > 0) {
                fprintf(out, "        .methods = %s_methods, .n_methods = %s_METHOD_COUNT,\n", name,
                        gen_upper(file->name));
        }
        if (file->service != NULL) {
                fputs("        .calls = calls, .reads = reads,\n", out);
        }
        if (file->messages != NULL) {
                fputs("        .messages = messages, .n_messages = sizeof(messages) / sizeof(messages[0]),\n", out);
        }
        fputs("};\n", out);
}

void gen_emit_stubs(FILE *out, const struct gen_file *file)
{
        const char *name = gen_lower(file->name);
        fprintf(out,
                "/* Made by protoc-gen-sonet from %s: do not edit. */\n#include \"%s.rpc.h\"\n#include \"rpc/rpc.h\"\n",
                file->proto->name, file->stem);
        for (size_t i = 0; i < file->n_methods; i++) {
                const struct gen_method *m = &file->methods[i];
                fprintf(out,
                        "\nsn_status %s_%s(struct rpc_call *c, const %s *in, %s *out)\n{\n"
                        "        return rpc_invoke(c, &%s_methods[%s_%s], &in->base, &out->base);\n}\n",
                        name, gen_lower(m->proto->name), gen_camel(gen_short(m->in->full_name)),
                        gen_camel(gen_short(m->out->full_name)), name, gen_upper(file->name),
                        gen_upper(m->proto->name));
        }
}
