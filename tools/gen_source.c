/* <path>.rpc.c: the tables of base/contract.h, which need only the messages; <path>.stubs.c: calls by other
 * services, which need rpc/. */
#include "tools/gen.h"

#include <inttypes.h>
#include <string.h>

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
        return gen_printf(".access = RPC_SCOPE, .scope = %s%s", gen_string(m->options->access),
                          m->options->step_up ? ", .step_up = true" : "");
}

/* The body and the response, if they are not messages. */
static void emit_streams(FILE *out, const struct gen_file *file, const struct gen_method *m)
{
        static const char *const bodies[] = {"RPC_BODY_MESSAGE", "RPC_BODY_BYTES", "RPC_BODY_MULTIPART"};
        const Sonet__MethodOptions *o = m->options;
        if (o->body != SONET__BODY__BODY_MESSAGE) {
                fprintf(out,
                        "                .body = %s, .max_body_bytes = UINT64_C(%" PRIu64 "), .stall_ms = %" PRIu32
                        "%s,\n",
                        bodies[o->body], o->max_body_bytes, o->stall_ms, o->partial ? ", .takes_part = true" : "");
        }
        if (o->admission[0] != '\0') {
                fprintf(out, "                .admission = &%s_methods[%s_%s],\n", gen_lower(file->name),
                        gen_upper(file->name), gen_upper(o->admission));
        }
        if (o->method_override) {
                fputs("                .method_override = true,\n", out);
        }
        if (m->challenge != NULL) {
                fprintf(out, "                .challenge = &%s__message,\n", gen_lower(m->challenge->full_name));
        }
        if (o->body_type[0] != '\0') {
                fprintf(out, "                .body_type = %s,\n", gen_string(o->body_type));
        }
        if (m->body_message != NULL) {
                fprintf(out, "                .body_message = &%s__message,\n", gen_lower(m->body_message->full_name));
        }
        if (m->proto->server_streaming) {
                fputs("                .answers_file = true,\n", out);
        }
}

static void emit_headers(FILE *out, const char *member, size_t n, char *const *headers)
{
        if (n == 0) {
                return;
        }
        fprintf(out, "                .%s = (const char *const[]){", member);
        for (size_t i = 0; i < n; i++) {
                fprintf(out, "%s, ", gen_string(headers[i]));
        }
        fputs("NULL},\n", out);
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
        fprintf(out, "                .in = &%s__message, .out = &%s__message,\n", gen_lower(m->in->full_name),
                gen_lower(m->out->full_name));
        fprintf(out, "                .http_verb = %s, .http_path = %s, %s,\n", gen_string(m->verb),
                gen_string(m->path), access_of(m));
        fprintf(out,
                "                .rate = %s, .idempotency = %s, .lane = %s, .deadline_ms = %" PRIu32
                ", .success_status = %" PRIu32 "%s%s%s%s,\n",
                rates[o->rate], idempotency[o->idempotency], lanes[o->lane], o->deadline_ms,
                o->success == 0 ? 200 : o->success, o->empty_is_204 ? ", .empty_is_204 = true" : "",
                o->quick ? ", .quick = true" : "", o->kept ? ", .kept = true" : "",
                gen_find_secret(m->out) != NULL ? ", .answer_is_secret = true" : "");
        emit_streams(out, file, m);
        emit_headers(out, "headers", o->n_headers, o->headers);
        emit_headers(out, "options_headers", o->n_options_headers, o->options_headers);
        gen_emit_channel(out, m);
        fprintf(out,
                "                .summary = %s, .doc = %s,\n                .stats = &stats[%s_%s], .invoke = "
                "invoke_%s},\n",
                gen_string(m->summary), gen_string(m->doc), gen_upper(file->name), gen_upper(m->proto->name),
                gen_lower(m->proto->name));
}

static void emit_methods(FILE *out, const struct gen_file *file)
{
        for (size_t i = 0; i < file->n_methods; i++) {
                emit_thunk(out, file, &file->methods[i]);
        }
        fprintf(out,
                "\nstatic struct rpc_method_stats stats[%s_METHOD_COUNT];\n\n"
                "const struct rpc_method %s_methods[%s_METHOD_COUNT] = {\n",
                gen_upper(file->name), gen_lower(file->name), gen_upper(file->name));
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
        gen_emit_messages(out, file);
        if (file->service == NULL) { /* third-party contracts, and files with only messages */
                return;
        }
        if (file->n_methods > 0) {
                emit_methods(out, file);
        }
        emit_callees(out, file);
        fprintf(out,
                "\nconst struct rpc_service %s_contract = {\n        .name = \"%s\", .package = \"%s\", .doc = %s,\n",
                name, file->name, file->proto->package, gen_string(file->service_doc));
        if (file->n_methods > 0) {
                fprintf(out, "        .methods = %s_methods, .n_methods = %s_METHOD_COUNT,\n", name,
                        gen_upper(file->name));
        }
        fputs("        .calls = calls, .reads = reads,\n", out);
        if (file->service_options->collects_exports) {
                fputs("        .collects_exports = true,\n", out);
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
