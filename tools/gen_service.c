/* <path>.service.h and <path>.service.c: the service's own side of its contract. The handlers that it must define, one
 * for each method, and their table; a missing handler is a link error. */
#include "tools/gen.h"

static void emit_prototype(FILE *out, const struct gen_file *file, const struct gen_method *m)
{
        fprintf(out, "sn_status %s_handle_%s(struct rpc_call *c, const %s *in, %s *out);\n", gen_lower(file->name),
                gen_lower(m->proto->name), gen_camel(gen_short(m->in->full_name)),
                gen_camel(gen_short(m->out->full_name)));
}

void gen_emit_service_header(FILE *out, const struct gen_file *file)
{
        const char *name = gen_lower(file->name), *NAME = gen_upper(file->name);
        fprintf(out,
                "/* Made by protoc-gen-sonet from %s: do not edit. */\n#ifndef %s_SERVICE_H\n#define %s_SERVICE_H\n\n"
                "#include \"%s.rpc.h\"\n",
                file->proto->name, NAME, NAME, file->stem);
        if (file->service != NULL) {
                fputs("\n/* The handlers, one for each method. */\n", out);
                for (size_t i = 0; i < file->n_methods; i++) {
                        emit_prototype(out, file, &file->methods[i]);
                }
                fprintf(
                    out,
                    "\nextern const struct %s_handlers %s_handlers;\n\n/* The migrations of schema/, compiled in. */\n"
                    "extern const struct db_schema %s_schema;\n",
                    name, name, name);
        }
        fputs("\n#endif\n", out);
}

void gen_emit_service_source(FILE *out, const struct gen_file *file)
{
        const char *name = gen_lower(file->name);
        fprintf(out, "/* Made by protoc-gen-sonet from %s: do not edit. */\n#include \"%s.service.h\"\n",
                file->proto->name, file->stem);
        if (file->service == NULL) {
                return;
        }
        fprintf(out, "\nconst struct %s_handlers %s_handlers = {\n", name, name);
        for (size_t i = 0; i < file->n_methods; i++) {
                const char *method = file->methods[i].proto->name;
                fprintf(out, "        .%s = %s_handle_%s,\n", gen_member(method), name, gen_lower(method));
        }
        fputs("};\n", out);
}
