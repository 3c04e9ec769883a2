/* protoc-gen-sonet: the contract generator. protoc starts it with a CodeGeneratorRequest on standard input; it checks
 * each .proto, and returns <path>.rpc.h, .rpc.c, .stubs.c, .service.h and .service.c, or all errors, one per line. With
 * --without-services it copies a FileDescriptorSet from standard input to standard output, without the services. */
#include "tools/gen.h"

#include <stdlib.h>
#include <string.h>
#include "google/protobuf/compiler/plugin.pb-c.h"

typedef Google__Protobuf__Compiler__CodeGeneratorRequest request;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse response;
typedef Google__Protobuf__Compiler__CodeGeneratorResponse__File response_file;

static uint8_t *read_all(size_t *len)
{
        size_t capacity = 1 << 16;
        uint8_t *bytes = malloc(capacity);
        *len = 0;
        while (bytes != NULL) {
                size_t n = fread(bytes + *len, 1, capacity - *len, stdin);
                if (n == 0) {
                        break;
                }
                *len += n;
                if (*len == capacity) {
                        uint8_t *larger = realloc(bytes, capacity *= 2);
                        if (larger == NULL) {
                                free(bytes);
                        }
                        bytes = larger;
                }
        }
        return bytes;
}

static void add_file(response *answer, const struct gen_file *file, const char *ending,
                     void (*emit)(FILE *out, const struct gen_file *file))
{
        response_file *made = gen_alloc(sizeof(*made));
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        if (out == NULL) {
                fputs("protoc-gen-sonet: out of memory\n", stderr);
                exit(1);
        }
        google__protobuf__compiler__code_generator_response__file__init(made);
        emit(out, file);
        fclose(out);
        made->name = gen_printf("%s%s", file->stem, ending);
        made->content = gen_printf("%s", text);
        free(text);
        answer->file[answer->n_file++] = made;
}

static void add_files(response *answer, const struct gen_file *file)
{
        add_file(answer, file, ".rpc.h", gen_emit_header);
        add_file(answer, file, ".rpc.c", gen_emit_source);
        if (!file->is_foreign) {
                add_file(answer, file, ".stubs.c", gen_emit_stubs);
                add_file(answer, file, ".service.h", gen_emit_service_header);
                add_file(answer, file, ".service.c", gen_emit_service_source);
        }
}

static bool is_wanted(const request *asked, const char *name)
{
        for (size_t i = 0; i < asked->n_file_to_generate; i++) {
                if (strcmp(asked->file_to_generate[i], name) == 0) {
                        return true;
                }
        }
        return false;
}

static void generate(struct gen *g, const request *asked, response *answer)
{
        answer->file = gen_alloc(5 * g->n_files * sizeof(response_file *) + 1);
        for (size_t i = 0; i < g->n_files; i++) {
                if (is_wanted(asked, g->files[i].proto->name)) {
                        gen_check_file(g, &g->files[i]);
                }
        }
        for (size_t i = 0; i < g->n_files && g->n_errors == 0; i++) {
                if (is_wanted(asked, g->files[i].proto->name)) {
                        add_files(answer, &g->files[i]);
                }
        }
}

static bool write_message(const ProtobufCMessage *message)
{
        size_t len = protobuf_c_message_get_packed_size(message);
        uint8_t *bytes = gen_alloc(len + 1);
        protobuf_c_message_pack(message, bytes);
        return fwrite(bytes, 1, len, stdout) == len && fflush(stdout) == 0;
}

static bool answer_request(const request *asked)
{
        response answer = GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT;
        char *errors = NULL;
        size_t errors_len = 0;
        struct gen g = {.errors = open_memstream(&errors, &errors_len)};
        if (g.errors == NULL) {
                return false;
        }
        if (gen_load(&g, asked->n_proto_file, asked->proto_file)) {
                generate(&g, asked, &answer);
        } else {
                fputs("the request is inconsistent: a type or an option could not be read", g.errors);
                g.n_errors++;
        }
        fclose(g.errors);
        answer.error = g.n_errors > 0 ? errors : NULL;
        bool written = write_message(&answer.base);
        free(errors);
        return written;
}

static bool generate_code(const uint8_t *bytes, size_t len)
{
        request *asked = google__protobuf__compiler__code_generator_request__unpack(NULL, len, bytes);
        bool done = asked != NULL && answer_request(asked);
        if (asked != NULL) {
                google__protobuf__compiler__code_generator_request__free_unpacked(asked, NULL);
        }
        return done;
}

static bool strip_services(const uint8_t *bytes, size_t len)
{
        Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(NULL, len, bytes);
        bool done = false;
        if (set != NULL) {
                for (size_t i = 0; i < set->n_file; i++) {
                        size_t n = set->file[i]->n_service;
                        set->file[i]->n_service = 0;
                        while (n > 0) {
                                google__protobuf__service_descriptor_proto__free_unpacked(set->file[i]->service[--n],
                                                                                          NULL);
                        }
                }
                done = write_message(&set->base);
                google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
        }
        return done;
}

int main(int argc, char **argv)
{
        size_t len = 0;
        uint8_t *bytes = read_all(&len);
        bool strip = argc == 2 && strcmp(argv[1], "--without-services") == 0;
        bool done = bytes != NULL && (strip ? strip_services(bytes, len) : generate_code(bytes, len));
        free(bytes);
        gen_release();
        if (!done) {
                fputs("protoc-gen-sonet: the input is not a request from protoc (use --sonet_out=FOLDER), or "
                      "the response could not be written\n",
                      stderr);
        }
        return done ? 0 : 1;
}
