/* <path>.rpc.h: the handlers' struct, the stubs, and short names for types that protoc-c names with the whole package.
 */
#include "tools/gen.h"

#include <string.h>

static void emit_define(FILE *out, const char *alias, const char *name, const char *suffix)
{
        fprintf(out, "#define %s%s %s%s\n", alias, suffix, name, suffix);
}

static void emit_oneofs(FILE *out, const struct gen_message *m, const char *alias)
{
        const char *upper = gen_upper(m->full_name), *upper_alias = gen_upper(alias);
        for (size_t i = 0; i < m->proto->n_oneof_decl; i++) {
                const char *name = m->proto->oneof_decl[i]->name, *NAME = gen_upper(name);
                fprintf(out, "typedef %s__%sCase %s__%sCase;\n", gen_camel(m->full_name), gen_camel(name),
                        gen_camel(alias), gen_camel(name));
                fprintf(out, "#define %s__%s__NOT_SET %s__%s__NOT_SET\n", upper_alias, NAME, upper, NAME);
                for (size_t j = 0; j < m->n_fields; j++) {
                        const gen_field_proto *field = m->fields[j].proto;
                        if (field->has_oneof_index && (size_t)field->oneof_index == i) {
                                const char *FIELD = gen_upper(field->name);
                                fprintf(out, "#define %s__%s_%s %s__%s_%s\n", upper_alias, NAME, FIELD, upper, NAME,
                                        FIELD);
                        }
                }
        }
}

static void emit_message(FILE *out, const struct gen_message *m)
{
        const char *alias = gen_short(m->full_name);
        if (m->is_map) {
                return;
        }
        fprintf(out, "\nextern const struct rpc_message %s__message;\n", gen_lower(m->full_name));
        if (strcmp(alias, m->full_name) == 0) {
                return;
        }
        fprintf(out, "typedef %s %s;\n", gen_camel(m->full_name), gen_camel(alias));
        emit_define(out, gen_upper(alias), gen_upper(m->full_name), "__INIT");
        emit_define(out, gen_lower(alias), gen_lower(m->full_name), "__descriptor");
        emit_define(out, gen_lower(alias), gen_lower(m->full_name), "__message");
        emit_define(out, gen_lower(alias), gen_lower(m->full_name), "__init");
        emit_oneofs(out, m, alias);
}

static void emit_enum(FILE *out, const struct gen_enum *e)
{
        const char *alias = gen_short(e->full_name);
        fprintf(out, "\nextern const struct rpc_enum %s__names;\n", gen_lower(e->full_name));
        if (strcmp(alias, e->full_name) == 0) {
                return;
        }
        fprintf(out, "typedef %s %s;\n", gen_camel(e->full_name), gen_camel(alias));
        emit_define(out, gen_lower(alias), gen_lower(e->full_name), "__descriptor");
        for (size_t i = 0; i < e->proto->n_value; i++) {
                const char *value = e->proto->value[i]->name;
                fprintf(out, "#define %s__%s %s__%s\n", gen_upper(alias), value, gen_upper(e->full_name), value);
        }
}

static void emit_signature(FILE *out, const struct gen_method *m)
{
        fprintf(out, "(struct rpc_call *c, const %s *in, %s *out)", gen_camel(gen_short(m->in->full_name)),
                gen_camel(gen_short(m->out->full_name)));
}

static void emit_comment(FILE *out, const char *indent, const struct gen_method *m)
{
        if (m->summary != NULL && strstr(m->summary, "*/") == NULL) {
                fprintf(out, "%s/* %s */\n", indent, m->summary);
        }
}

static void emit_service(FILE *out, const struct gen_file *file)
{
        const char *name = gen_lower(file->name), *NAME = gen_upper(file->name);
        fprintf(out, "\n/* Indexes of %s_methods. */\nenum %s_method {\n", name, name);
        for (size_t i = 0; i < file->n_methods; i++) {
                fprintf(out, "        %s_%s,\n", NAME, gen_upper(file->methods[i].proto->name));
        }
        fprintf(out, "        %s_METHOD_COUNT\n};\nextern const struct rpc_method %s_methods[%s_METHOD_COUNT];\n", NAME,
                name, NAME);

        fprintf(out,
                "\n/* What the service implements; a member that is NULL answers SN_UNIMPLEMENTED. */\nstruct "
                "%s_handlers {\n",
                name);
        for (size_t i = 0; i < file->n_methods; i++) {
                emit_comment(out, "        ", &file->methods[i]);
                fprintf(out, "        sn_status (*%s)", gen_member(file->methods[i].proto->name));
                emit_signature(out, &file->methods[i]);
                fputs(";\n", out);
        }
        fputs("};\n\n/* Calls by other services (rpc_invoke). out is initialised by the caller. */\n", out);
        for (size_t i = 0; i < file->n_methods; i++) {
                fprintf(out, "SN_CHECKED sn_status %s_%s", name, gen_lower(file->methods[i].proto->name));
                emit_signature(out, &file->methods[i]);
                fputs(";\n", out);
        }
}

/* The tables of its imports, except for the options. */
static void emit_includes(FILE *out, const struct gen_file *file)
{
        fprintf(out, "#include \"base/contract.h\"\n#include \"%s.pb-c.h\"\n", file->stem);
        for (size_t i = 0; i < file->proto->n_dependency; i++) {
                const char *name = file->proto->dependency[i];
                if (strcmp(name, "google/protobuf/descriptor.proto") != 0 && strcmp(name, "sonet/options.proto") != 0) {
                        fprintf(out, "#include \"%.*s.rpc.h\"\n", (int)(strlen(name) - strlen(".proto")), name);
                }
        }
}

void gen_emit_header(FILE *out, const struct gen_file *file)
{
        char *guard = gen_upper(file->stem);
        for (char *p = guard; *p != '\0'; p++) {
                *p = *p == '/' || *p == '-' ? '_' : *p;
        }
        fprintf(out, "/* Made by protoc-gen-sonet from %s: do not edit. */\n#ifndef %s_RPC_H\n#define %s_RPC_H\n\n",
                file->proto->name, guard, guard);
        emit_includes(out, file);
        for (const struct gen_enum *e = file->enums; e != NULL; e = e->next) {
                emit_enum(out, e);
        }
        for (const struct gen_message *m = file->messages; m != NULL; m = m->next) {
                emit_message(out, m);
        }
        if (file->service != NULL) {
                fprintf(out, "\nextern const struct rpc_service %s_contract;\n", gen_lower(file->name));
                emit_service(out, file);
        }
        fputs("\n#endif\n", out);
}
