/* The model: walks the file descriptors from protoc, and finds each declaration's line, comment and options.
 */
#include "tools/gen.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The path of a declaration as in descriptor.proto: field numbers and indexes from the file down. */
struct path {
        int32_t steps[32];
        size_t n;
};

enum { FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SERVICE = 6, MESSAGE_FIELD = 2, MESSAGE_NESTED = 3, SERVICE_METHOD = 2 };

static struct path path_add(struct path path, int32_t number, size_t index)
{
        if (path.n + 2 <= sizeof(path.steps) / sizeof(path.steps[0])) {
                path.steps[path.n++] = number;
                path.steps[path.n++] = (int32_t)index;
        }
        return path;
}

static const Google__Protobuf__SourceCodeInfo__Location *locate(const struct gen_file *file, const struct path *path)
{
        const Google__Protobuf__SourceCodeInfo *info = file->proto->source_code_info;
        for (size_t i = 0; info != NULL && i < info->n_location; i++) {
                const Google__Protobuf__SourceCodeInfo__Location *at = info->location[i];
                if (at->n_path == path->n && memcmp(at->path, path->steps, path->n * sizeof(path->steps[0])) == 0) {
                        return at;
                }
        }
        return NULL;
}

static int line_of(const struct gen_file *file, const struct path *path)
{
        const Google__Protobuf__SourceCodeInfo__Location *at = locate(file, path);
        return at != NULL && at->n_span > 0 ? at->span[0] + 1 : 1;
}

/* One paragraph: trimmed lines, joined by spaces; a blank line becomes a line break. */
static char *flatten(const char *comment)
{
        char *out = gen_alloc(strlen(comment) + 1), *p = out;
        bool space = false, blank = false;
        for (; *comment != '\0'; comment++) {
                if (*comment == '\n') {
                        blank = blank || comment[strspn(comment + 1, " \t") + 1] == '\n';
                        space = true;
                } else if (*comment == ' ' || *comment == '\t') {
                        space = true;
                } else {
                        if (space && p > out) {
                                *p++ = blank ? '\n' : ' ';
                        }
                        space = blank = false;
                        *p++ = *comment;
                }
        }
        return out;
}

static const char *doc_of(const struct gen_file *file, const struct path *path)
{
        const Google__Protobuf__SourceCodeInfo__Location *at = locate(file, path);
        if (at == NULL) {
                return NULL;
        }
        const char *comment = at->leading_comments != NULL ? at->leading_comments : at->trailing_comments;
        char *text = comment == NULL ? NULL : flatten(comment);
        return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Splits off the first sentence: it ends at a full stop before a space, or at a line break. */
static void split_doc(const char *doc, const char **summary, const char **rest)
{
        *summary = doc;
        *rest = NULL;
        for (const char *p = doc; p != NULL && *p != '\0'; p++) {
                if (*p == '\n' || ((*p == '.' || *p == '?' || *p == '!') && (p[1] == ' ' || p[1] == '\n'))) {
                        *summary = gen_printf("%.*s", (int)(p - doc + (*p != '\n')), doc);
                        *rest = p + 1 + (*p != '\n');
                        return;
                }
        }
}

static int by_number(const void *a, const void *b)
{
        const struct gen_field *left = a, *right = b;
        return (left->proto->number > right->proto->number) - (left->proto->number < right->proto->number);
}

static bool parse_bound(const char **text, int64_t *out)
{
        char *end = NULL;
        errno = 0;
        *out = strtoll(*text, &end, 10);
        bool digits = end != *text && errno == 0 && (isdigit((unsigned char)**text) || **text == '-');
        *text = end;
        return digits;
}

static void load_range(struct gen_field *field)
{
        const char *text = field->options->range;
        if (parse_bound(&text, &field->min) && strncmp(text, "..", 2) == 0) {
                text += 2;
                field->has_range = parse_bound(&text, &field->max) && *text == '\0' && field->min <= field->max;
        }
}

static bool load_field(const struct gen_message *m, struct gen_field *field, const struct path *path)
{
        field->options = gen_field_options(field->proto->options);
        field->line = line_of(m->file, path);
        field->doc = doc_of(m->file, path);
        if (field->options != NULL) {
                load_range(field);
        }
        return field->options != NULL;
}

static int by_value(const void *a, const void *b)
{
        const Google__Protobuf__EnumValueDescriptorProto *const *left = a, *const *right = b;
        return ((*left)->number > (*right)->number) - ((*left)->number < (*right)->number);
}

static void load_enum(struct gen_file *file, const char *scope, const Google__Protobuf__EnumDescriptorProto *proto)
{
        struct gen_enum *e = gen_alloc(sizeof(*e));
        size_t bytes = proto->n_value * sizeof(e->values[0]);
        e->proto = proto;
        e->full_name = gen_printf("%s.%s", scope, proto->name);
        e->values = gen_alloc(bytes + 1);
        memcpy(e->values, proto->value, bytes);
        qsort(e->values, proto->n_value, sizeof(e->values[0]), by_value);
        for (size_t i = 0; i < proto->n_value; i++) {
                if (e->n_values == 0 || e->values[e->n_values - 1]->number != e->values[i]->number) {
                        e->values[e->n_values++] = e->values[i];
                }
        }
        *file->enums_end = e;
        file->enums_end = &e->next;
}

static bool load_message(struct gen_file *file, const char *scope, const Google__Protobuf__DescriptorProto *proto,
                         struct path path)
{
        struct gen_message *m = gen_alloc(sizeof(*m));
        m->file = file;
        m->proto = proto;
        m->full_name = gen_printf("%s.%s", scope, proto->name);
        m->line = line_of(file, &path);
        m->doc = doc_of(file, &path);
        m->is_map = proto->options != NULL && proto->options->map_entry;
        m->n_fields = proto->n_field;
        m->fields = gen_alloc(proto->n_field * sizeof(struct gen_field) + 1);
        for (size_t i = 0; i < proto->n_field; i++) {
                struct path at = path_add(path, MESSAGE_FIELD, i);
                m->fields[i].proto = proto->field[i];
                if (!load_field(m, &m->fields[i], &at)) {
                        return false;
                }
        }
        qsort(m->fields, m->n_fields, sizeof(struct gen_field), by_number);
        *file->messages_end = m;
        file->messages_end = &m->next;
        for (size_t i = 0; i < proto->n_enum_type; i++) {
                load_enum(file, m->full_name, proto->enum_type[i]);
        }
        for (size_t i = 0; i < proto->n_nested_type; i++) {
                if (!load_message(file, m->full_name, proto->nested_type[i], path_add(path, MESSAGE_NESTED, i))) {
                        return false;
                }
        }
        return true;
}

const struct gen_message *gen_find_message(const struct gen *g, const char *full_name)
{
        const char *name = full_name != NULL && full_name[0] == '.' ? full_name + 1 : full_name;
        for (size_t i = 0; name != NULL && i < g->n_files; i++) {
                for (const struct gen_message *m = g->files[i].messages; m != NULL; m = m->next) {
                        if (strcmp(m->full_name, name) == 0) {
                                return m;
                        }
                }
        }
        return NULL;
}

static const struct gen_enum *find_enum(const struct gen *g, const char *full_name)
{
        for (size_t i = 0; full_name != NULL && i < g->n_files; i++) {
                for (const struct gen_enum *e = g->files[i].enums; e != NULL; e = e->next) {
                        if (strcmp(e->full_name, full_name + (full_name[0] == '.')) == 0) {
                                return e;
                        }
                }
        }
        return NULL;
}

const Google__Protobuf__EnumValueDescriptorProto *gen_enum_zero(const struct gen_enum *e)
{
        for (size_t i = 0; i < e->n_values; i++) {
                if (e->values[i]->number == 0) {
                        return e->values[i];
                }
        }
        return NULL;
}

/* "POST /v1/notes" → verb and path; both NULL if it is malformed (the check reports that). */
static void split_http(struct gen_method *method)
{
        const char *space = strchr(method->options->http, ' ');
        if (space != NULL && space[1] == '/') {
                method->verb = gen_printf("%.*s", (int)(space - method->options->http), method->options->http);
                method->path = space + 1;
        }
}

static bool load_method(const struct gen *g, struct gen_file *file, struct gen_method *method, const struct path *path)
{
        method->options = gen_method_options(method->proto->options);
        method->in = gen_find_message(g, method->proto->input_type);
        method->out = gen_find_message(g, method->proto->output_type);
        method->challenge = method->options != NULL ? gen_find_message(g, method->options->challenge) : NULL;
        method->body_message = method->options != NULL ? gen_find_message(g, method->options->body_message) : NULL;
        if (method->options == NULL || method->in == NULL || method->out == NULL) {
                return false;
        }
        method->line = line_of(file, path);
        split_doc(doc_of(file, path), &method->summary, &method->doc);
        split_http(method);
        return true;
}

static bool load_service(const struct gen *g, struct gen_file *file)
{
        if (file->proto->n_service == 0 || file->is_foreign) {
                return true;
        }
        struct path path = path_add((struct path){.n = 0}, FILE_SERVICE, 0);
        file->service = file->proto->service[0];
        file->service_line = line_of(file, &path);
        file->service_options = gen_service_options(file->service->options);
        if (file->service_options == NULL) {
                return false;
        }
        file->service_doc = doc_of(file, &path);
        if (file->proto->n_service > 1) {
                struct path second = path_add((struct path){.n = 0}, FILE_SERVICE, 1);
                file->second_service_line = line_of(file, &second);
        }
        file->n_methods = file->service->n_method;
        file->methods = gen_alloc(file->n_methods * sizeof(struct gen_method) + 1);
        for (size_t i = 0; i < file->n_methods; i++) {
                struct path at = path_add(path, SERVICE_METHOD, i);
                file->methods[i].proto = file->service->method[i];
                if (!load_method(g, file, &file->methods[i], &at)) {
                        return false;
                }
        }
        return true;
}

/* The comment above `syntax` describes the whole file: the fallback for a service without a comment. */
static void load_file_doc(struct gen_file *file)
{
        struct path syntax = {{12}, 1};
        if (file->service_doc == NULL) {
                file->service_doc = doc_of(file, &syntax);
        }
}

static bool load_file(struct gen_file *file, const Google__Protobuf__FileDescriptorProto *proto)
{
        const char *package = proto->package == NULL ? "" : proto->package;
        const char *dot = strrchr(proto->name, '.');
        file->proto = proto;
        file->stem =
            gen_printf("%.*s", (int)(dot == NULL ? strlen(proto->name) : (size_t)(dot - proto->name)), proto->name);
        file->name = gen_package_name(package);
        file->is_foreign = package[0] != '\0' && strcmp(package, "sonet") != 0 && strncmp(package, "sonet.", 6) != 0;
        file->messages_end = &file->messages;
        file->enums_end = &file->enums;
        for (size_t i = 0; i < proto->n_enum_type; i++) {
                load_enum(file, package, proto->enum_type[i]);
        }
        for (size_t i = 0; i < proto->n_message_type; i++) {
                if (!load_message(file, package, proto->message_type[i],
                                  path_add((struct path){.n = 0}, FILE_MESSAGE, i))) {
                        return false;
                }
        }
        return true;
}

static void link_fields(const struct gen *g, struct gen_file *file)
{
        for (struct gen_message *m = file->messages; m != NULL; m = m->next) {
                for (size_t i = 0; i < m->n_fields; i++) {
                        m->fields[i].type = gen_find_message(g, m->fields[i].proto->type_name);
                        m->fields[i].names = find_enum(g, m->fields[i].proto->type_name);
                }
        }
}

bool gen_load(struct gen *g, size_t n_files, Google__Protobuf__FileDescriptorProto *const *files)
{
        g->files = gen_alloc(n_files * sizeof(struct gen_file) + 1);
        g->n_files = n_files;
        for (size_t i = 0; i < n_files; i++) {
                if (!load_file(&g->files[i], files[i])) {
                        return false;
                }
        }
        for (size_t i = 0; i < n_files; i++) {
                link_fields(g, &g->files[i]);
                if (!load_service(g, &g->files[i])) {
                        return false;
                }
                load_file_doc(&g->files[i]);
        }
        return true;
}
