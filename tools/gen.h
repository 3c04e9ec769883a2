/* The contract generator's model: the contents of a .proto, with SoNet's options decoded, for the checks and the
 * emitters. It is a build tool that runs briefly: all memory comes from one pool and is freed at the end. */
#ifndef TOOLS_GEN_H
#define TOOLS_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "google/protobuf/descriptor.pb-c.h"
#include "sonet/options.pb-c.h"

typedef Google__Protobuf__FieldDescriptorProto gen_field_proto;

struct gen_file;

struct gen_field {
        const gen_field_proto *proto;
        const struct gen_message *type; /* of a message field */
        const struct gen_enum *names;   /* of an enum field */
        const Sonet__FieldOptions *options;
        int64_t min, max; /* of options->range, if has_range */
        bool has_range;
        const char *doc;
        int line;
};

struct gen_message {
        const struct gen_file *file;
        const Google__Protobuf__DescriptorProto *proto;
        const char *full_name;    /* "sonet.note.v1.Note" */
        struct gen_field *fields; /* sorted by number, as protobuf-c sorts its descriptors */
        size_t n_fields;
        const char *doc;
        int line;
        bool is_map;
        int colour; /* for the cycle search: 0 new, 1 on the path, 2 done */
        struct gen_message *next;
};

struct gen_enum {
        const Google__Protobuf__EnumDescriptorProto *proto;
        const char *full_name;
        const Google__Protobuf__EnumValueDescriptorProto **values; /* sorted by number, each number once */
        size_t n_values;
        struct gen_enum *next;
};

struct gen_method {
        const Google__Protobuf__MethodDescriptorProto *proto;
        const Sonet__MethodOptions *options;
        const struct gen_message *in, *out;
        const struct gen_message *challenge, *body_message; /* NULL: none, or not found */
        const char *verb, *path;                            /* NULL: not available over REST */
        const char *summary, *doc;
        int line;
};

struct gen_file {
        const Google__Protobuf__FileDescriptorProto *proto;
        const char *stem; /* "services/note/note" */
        const char *name; /* "note": the last component of the package that is not a version */
        bool is_foreign;  /* a third-party contract (google.protobuf, grpc.health.v1): only its messages are used */
        struct gen_message *messages, **messages_end;
        struct gen_enum *enums, **enums_end;
        const Google__Protobuf__ServiceDescriptorProto *service;
        const Sonet__ServiceOptions *service_options;
        const char *service_doc;
        int service_line;
        int second_service_line; /* > 0: there is one too many */
        struct gen_method *methods;
        size_t n_methods;
};

struct gen {
        struct gen_file *files;
        size_t n_files;
        FILE *errors; /* "file:line: sentence", one per line */
        int n_errors;
        bool recursive; /* a message contains itself: descending would not end */
};

/* Memory (gen_memory.c). Never NULL: the tool exits with an error if there is none. */
void *gen_alloc(size_t bytes);
char *gen_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void gen_release(void);

/* gen_model.c. False if the request is inconsistent. */
bool gen_load(struct gen *g, size_t n_files, Google__Protobuf__FileDescriptorProto *const *files);
const struct gen_message *gen_find_message(const struct gen *g, const char *full_name);
/* The value with the number 0; NULL: it has none. */
const Google__Protobuf__EnumValueDescriptorProto *gen_enum_zero(const struct gen_enum *e);

/* gen_options.c: SoNet's options, which arrive as unknown fields. NULL if the bytes are not a valid message. */
const Sonet__ServiceOptions *gen_service_options(const Google__Protobuf__ServiceOptions *options);
const Sonet__MethodOptions *gen_method_options(const Google__Protobuf__MethodOptions *options);
const Sonet__FieldOptions *gen_field_options(const Google__Protobuf__FieldOptions *options);

/* gen_message.c: whether the enum has a value with this name in JSON. */
bool gen_enum_has(const struct gen_enum *e, const char *name);
/* gen_check.c, gen_check_methods.c, gen_check_streams.c: the checks; errors have file and line. */
void gen_refuse(struct gen *g, const struct gen_file *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void gen_check_file(struct gen *g, struct gen_file *file);
void gen_check_methods(struct gen *g, struct gen_file *file);
void gen_check_streams(struct gen *g, const struct gen_file *file, const struct gen_method *m);
bool gen_is_conditions(const struct gen_field *field); /* of a file response */
/* gen_channels.c: channels of the stream */
void gen_check_channel(struct gen *g, const struct gen_file *file, const struct gen_method *m);
void gen_emit_channel(FILE *out, const struct gen_method *m);
/* A secret field of the message, or of a message in it. */
const struct gen_field *gen_find_secret(const struct gen_message *message);

/* gen_names.c: protoc-c's spelling of names, and ours. */
char *gen_lower(const char *dotted);        /* "sonet.note.v1.NoteCounts" → "sonet__note__v1__note_counts" */
char *gen_upper(const char *dotted);        /* … → "SONET__NOTE__V1__NOTE_COUNTS" */
char *gen_camel(const char *dotted);        /* … → "Sonet__Note__V1__NoteCounts" */
char *gen_member(const char *name);         /* "Register" → "register_": a valid C name */
char *gen_struct_member(const char *field); /* "inline" → "inline_": like the struct members of protoc-c */
/* The name from which short C names are derived: "sonet.note.v1.Note" → "note.Note"; others unchanged. */
char *gen_short(const char *full_name);
const char *gen_package_name(const char *package);
char *gen_string(const char *text); /* a C string literal; NULL gives NULL */

/* gen_header.c, gen_message.c, gen_source.c, gen_service.c */
void gen_emit_header(FILE *out, const struct gen_file *file);
void gen_emit_messages(FILE *out, const struct gen_file *file);
void gen_emit_source(FILE *out, const struct gen_file *file);
void gen_emit_stubs(FILE *out, const struct gen_file *file);
void gen_emit_service_header(FILE *out, const struct gen_file *file);
void gen_emit_service_source(FILE *out, const struct gen_file *file);

#endif
