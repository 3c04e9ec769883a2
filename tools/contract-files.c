/* contract-files: reads a google.protobuf.FileDescriptorSet of all contracts from standard input, removes internal
 * methods and the types that only they use, and writes the tables of base/contract_files.h to standard output. */
#include "tools/gen.h"

#include <stdlib.h>
#include <string.h>

typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;

/* ---- Public parts ---- */

static bool is_open(const struct gen_method *m)
{
        return strcmp(m->options->access, "internal") != 0;
}

static bool is_within(const char *full_name, const char *outer)
{
        size_t len = strlen(outer);
        return strncmp(full_name, outer, len) == 0 && full_name[len] == '.';
}

/* A message is kept together with the types of its fields, the types declared in it, and the message that it is
 * declared in. */
static void keep(struct gen *g, const struct gen_message *wanted)
{
        struct gen_message *m = (struct gen_message *)wanted;
        if (m->colour != 0) {
                return;
        }
        m->colour = 1;
        for (size_t i = 0; i < m->n_fields; i++) {
                if (m->fields[i].type != NULL) {
                        keep(g, m->fields[i].type);
                }
        }
        for (struct gen_message *other = m->file->messages; other != NULL; other = other->next) {
                if (is_within(other->full_name, m->full_name) || is_within(m->full_name, other->full_name)) {
                        keep(g, other);
                }
        }
}

static void keep_open(struct gen *g)
{
        for (size_t i = 0; i < g->n_files; i++) {
                for (size_t k = 0; k < g->files[i].n_methods; k++) {
                        if (is_open(&g->files[i].methods[k])) {
                                keep(g, g->files[i].methods[k].in);
                                keep(g, g->files[i].methods[k].out);
                        }
                }
        }
}

static bool is_kept(const struct gen *g, const char *package, const char *name)
{
        const struct gen_message *m = gen_find_message(g, gen_printf("%s.%s", package, name));
        return m != NULL && m->colour != 0;
}

/* Whether a field of a kept message has the type ".sonet.note.v1.Visibility". */
static bool is_used(const struct gen *g, const char *type)
{
        for (size_t i = 0; i < g->n_files; i++) {
                for (const struct gen_message *m = g->files[i].messages; m != NULL; m = m->next) {
                        for (size_t k = 0; k < m->n_fields && m->colour != 0; k++) {
                                const char *of_field = m->fields[k].proto->type_name;
                                if (of_field != NULL && strcmp(of_field, type) == 0) {
                                        return true;
                                }
                        }
                }
        }
        return false;
}

/* ---- Removing the rest ---- */

/* SoNet's options are unknown fields of the descriptor's options; if there are no others, the options are removed. */
static void *without_ours(void *options)
{
        ProtobufCMessage *message = options;
        if (message != NULL) {
                message->n_unknown_fields = 0;
        }
        return message != NULL && protobuf_c_message_get_packed_size(message) > 0 ? message : NULL;
}

static void strip_enum(Google__Protobuf__EnumDescriptorProto *e)
{
        e->options = without_ours(e->options);
        for (size_t i = 0; i < e->n_value; i++) {
                e->value[i]->options = without_ours(e->value[i]->options);
        }
}

static void strip_message(message_proto *m)
{
        m->options = without_ours(m->options);
        for (size_t i = 0; i < m->n_field; i++) {
                m->field[i]->options = without_ours(m->field[i]->options);
        }
        for (size_t i = 0; i < m->n_enum_type; i++) {
                strip_enum(m->enum_type[i]);
        }
        for (size_t i = 0; i < m->n_nested_type; i++) {
                strip_message(m->nested_type[i]);
        }
}

static void cut_messages(const struct gen *g, file_proto *file)
{
        size_t n = 0;
        for (size_t i = 0; i < file->n_message_type; i++) {
                if (is_kept(g, file->package, file->message_type[i]->name)) {
                        strip_message(file->message_type[i]);
                        file->message_type[n++] = file->message_type[i];
                }
        }
        file->n_message_type = n;
        n = 0;
        for (size_t i = 0; i < file->n_enum_type; i++) {
                if (is_used(g, gen_printf(".%s.%s", file->package, file->enum_type[i]->name))) {
                        strip_enum(file->enum_type[i]);
                        file->enum_type[n++] = file->enum_type[i];
                }
        }
        file->n_enum_type = n;
}

static void cut_methods(const struct gen_file *model, file_proto *file)
{
        size_t n = 0;
        if (file->n_service == 0) {
                return;
        }
        Google__Protobuf__ServiceDescriptorProto *service = file->service[0];
        for (size_t i = 0; i < model->n_methods; i++) {
                if (is_open(&model->methods[i])) {
                        service->method[i]->options = without_ours(service->method[i]->options);
                        service->method[n++] = service->method[i];
                }
        }
        service->n_method = n;
        service->options = without_ours(service->options);
        file->n_service = n > 0;
}

/* ---- Imports ---- */

static bool field_is_from(const message_proto *m, const file_proto *other)
{
        for (size_t i = 0; i < m->n_field; i++) {
                const char *type = m->field[i]->type_name;
                if (type != NULL && is_within(type, gen_printf(".%s", other->package))) {
                        return true;
                }
        }
        for (size_t i = 0; i < m->n_nested_type; i++) {
                if (field_is_from(m->nested_type[i], other)) {
                        return true;
                }
        }
        return false;
}

static bool needs(const file_proto *file, const file_proto *other)
{
        const char *package = gen_printf(".%s", other->package);
        for (size_t i = 0; i < file->n_message_type; i++) {
                if (field_is_from(file->message_type[i], other)) {
                        return true;
                }
        }
        for (size_t i = 0; file->n_service > 0 && i < file->service[0]->n_method; i++) {
                const Google__Protobuf__MethodDescriptorProto *m = file->service[0]->method[i];
                if (is_within(m->input_type, package) || is_within(m->output_type, package)) {
                        return true;
                }
        }
        return false;
}

static bool is_empty(const file_proto *file)
{
        return file->n_message_type + file->n_enum_type + file->n_service == 0;
}

static file_proto *find_file(const Google__Protobuf__FileDescriptorSet *set, const char *name, size_t *at)
{
        for (*at = 0; *at < set->n_file; (*at)++) {
                if (strcmp(set->file[*at]->name, name) == 0) {
                        return set->file[*at];
                }
        }
        return NULL;
}

static void cut_imports(const Google__Protobuf__FileDescriptorSet *set, file_proto *file)
{
        size_t n = 0, at;
        for (size_t i = 0; i < file->n_dependency; i++) {
                const file_proto *other = find_file(set, file->dependency[i], &at);
                if (other != NULL && !is_empty(other) && needs(file, other)) {
                        file->dependency[n++] = file->dependency[i];
                }
        }
        file->n_dependency = n;
        file->n_public_dependency = file->n_weak_dependency = 0;
        file->n_extension = 0;
        file->source_code_info = NULL;
        file->options = without_ours(file->options);
}

static void cut(struct gen *g, Google__Protobuf__FileDescriptorSet *set)
{
        size_t n = 0;
        keep_open(g);
        for (size_t i = 0; i < set->n_file; i++) {
                cut_messages(g, set->file[i]);
                cut_methods(&g->files[i], set->file[i]);
        }
        for (size_t i = 0; i < set->n_file; i++) {
                cut_imports(set, set->file[i]);
        }
        for (size_t i = 0; i < set->n_file; i++) {
                if (!is_empty(set->file[i])) {
                        set->file[n++] = set->file[i];
                }
        }
        set->n_file = n;
}

/* ---- The tables ---- */

static void write_bytes(const Google__Protobuf__FileDescriptorSet *set, size_t number)
{
        size_t len = google__protobuf__file_descriptor_proto__get_packed_size(set->file[number]);
        uint8_t *bytes = gen_alloc(len + 1);
        google__protobuf__file_descriptor_proto__pack(set->file[number], bytes);
        printf("static const uint8_t file_%zu[] = {", number);
        for (size_t i = 0; i < len; i++) {
                printf("%s%u,", i % 24 == 0 ? "\n        " : "", bytes[i]);
        }
        printf("\n};\n");
}

/* The file and everything that it imports, so that clients need only one request. */
static void write_with(const Google__Protobuf__FileDescriptorSet *set, size_t number)
{
        size_t *order = gen_alloc((set->n_file + 1) * sizeof(*order)), n = 1, at;
        bool *taken = gen_alloc(set->n_file + 1);
        order[0] = number;
        taken[number] = true;
        printf("static const uint16_t with_%zu[] = {", number);
        for (size_t i = 0; i < n; i++) {
                const file_proto *file = set->file[order[i]];
                printf("%zu, ", order[i]);
                for (size_t k = 0; k < file->n_dependency; k++) {
                        if (find_file(set, file->dependency[k], &at) != NULL && !taken[at]) {
                                taken[at] = true;
                                order[n++] = at;
                        }
                }
        }
        printf("};\n");
}

struct symbol {
        const char *name;
        size_t file;
};

struct symbols {
        struct symbol list[4096];
        size_t n;
};

static void add_symbol(struct symbols *all, const char *name, size_t file)
{
        if (all->n == sizeof(all->list) / sizeof(all->list[0])) {
                fputs("contract-files: too many symbols\n", stderr);
                exit(1);
        }
        all->list[all->n++] = (struct symbol){name, file};
}

static void add_message(struct symbols *all, const char *scope, const message_proto *m, size_t file)
{
        const char *name = gen_printf("%s.%s", scope, m->name);
        add_symbol(all, name, file);
        for (size_t i = 0; i < m->n_nested_type; i++) {
                add_message(all, name, m->nested_type[i], file);
        }
        for (size_t i = 0; i < m->n_enum_type; i++) {
                add_symbol(all, gen_printf("%s.%s", name, m->enum_type[i]->name), file);
        }
}

static void add_file(struct symbols *all, const file_proto *file, size_t number)
{
        for (size_t i = 0; i < file->n_message_type; i++) {
                add_message(all, file->package, file->message_type[i], number);
        }
        for (size_t i = 0; i < file->n_enum_type; i++) {
                add_symbol(all, gen_printf("%s.%s", file->package, file->enum_type[i]->name), number);
        }
        if (file->n_service > 0) {
                const char *name = gen_printf("%s.%s", file->package, file->service[0]->name);
                add_symbol(all, name, number);
                for (size_t i = 0; i < file->service[0]->n_method; i++) {
                        add_symbol(all, gen_printf("%s.%s", name, file->service[0]->method[i]->name), number);
                }
        }
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static void write_symbols(const Google__Protobuf__FileDescriptorSet *set)
{
        struct symbols *all = gen_alloc(sizeof(*all));
        for (size_t i = 0; i < set->n_file; i++) {
                add_file(all, set->file[i], i);
        }
        qsort(all->list, all->n, sizeof(all->list[0]), by_name);
        printf("const struct contract_symbol contract_symbols[] = {\n");
        for (size_t i = 0; i < all->n; i++) {
                printf("        {\"%s\", %zu},\n", all->list[i].name, all->list[i].file);
        }
        printf("};\nconst size_t contract_symbols_count = sizeof(contract_symbols) / sizeof(contract_symbols[0]);\n");
}

static void write_tables(const Google__Protobuf__FileDescriptorSet *set)
{
        printf("/* Made by tools/contract-files. */\n#include \"base/contract_files.h\"\n");
        for (size_t i = 0; i < set->n_file; i++) {
                write_bytes(set, i);
                write_with(set, i);
        }
        printf("const struct contract_file contract_files[] = {\n");
        for (size_t i = 0; i < set->n_file; i++) {
                printf("        {\"%s\", file_%zu, sizeof(file_%zu), with_%zu, sizeof(with_%zu) / sizeof(uint16_t)},\n",
                       set->file[i]->name, i, i, i, i);
        }
        printf("};\nconst size_t contract_files_count = sizeof(contract_files) / sizeof(contract_files[0]);\n");
        write_symbols(set);
}

/* ---- Main ---- */

static void *pool_alloc(void *context, size_t bytes)
{
        return gen_alloc(bytes);
}

static void pool_free(void *context, void *bytes)
{
}

static uint8_t *read_all(size_t *len)
{
        enum { SET_BYTES_MAX = 16 << 20 };
        uint8_t *bytes = gen_alloc(SET_BYTES_MAX);
        *len = fread(bytes, 1, SET_BYTES_MAX, stdin);
        return *len < SET_BYTES_MAX ? bytes : NULL;
}

int main(void)
{
        ProtobufCAllocator pool = {pool_alloc, pool_free, NULL};
        struct gen g = {.errors = stderr};
        size_t len;
        uint8_t *bytes = read_all(&len);
        Google__Protobuf__FileDescriptorSet *set =
            bytes != NULL ? google__protobuf__file_descriptor_set__unpack(&pool, len, bytes) : NULL;
        bool done = set != NULL && gen_load(&g, set->n_file, set->file);
        if (done) {
                cut(&g, set);
                write_tables(set);
                done = fflush(stdout) == 0;
        } else {
                fputs("contract-files: the input is no set of file descriptors that agree\n", stderr);
        }
        gen_release();
        return done ? 0 : 1;
}
