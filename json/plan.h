/* Plans: what writing and reading a message needs to know, worked out once per descriptor and kept for the life of the
 * process. */
#ifndef JSON_PLAN_H
#define JSON_PLAN_H

#include <stdatomic.h>
#include "base/contract.h"
#include "base/str.h"

enum json_kind {
        KIND_I32,
        KIND_U32,
        KIND_I64,
        KIND_U64,
        KIND_FLOAT,
        KIND_DOUBLE,
        KIND_BOOL,
        KIND_ENUM,
        KIND_STRING,
        KIND_BYTES,
        KIND_MESSAGE,
        KIND_TIME, /* google.protobuf.Timestamp */
};

/* How a field says that it is there. */
enum json_shape {
        SHAPE_PLAIN,    /* proto3: empty is the zero value */
        SHAPE_POINTER,  /* a message, or a proto2 string: NULL is absent */
        SHAPE_FLAG,     /* proto2: has_x */
        SHAPE_ONEOF,    /* the case holds the field's number */
        SHAPE_REPEATED, /* n_x elements */
};

struct json_enum_value {
        int number;
        struct str quoted; /* "\"public\"", padded for out_padded */
        bool unspecified;  /* the zero value of that name: "not given", which nobody can choose by name */
};

struct json_enum {
        bool dense; /* numbers follow each other, so that the number gives the index */
        size_t n;
        struct json_enum_value values[];
};

struct json_plan;

struct json_field {
        struct str key;   /* `,"name":`, padded for out_padded */
        struct str empty; /* shown for an empty or absent value; plain fields with rule SHOW show the value itself */
        enum json_kind kind;
        enum json_shape shape;
        enum field_empty rule;
        bool has_range; /* of a whole number */
        int64_t min, max;
        const char *expected; /* with a range: in words */
        unsigned offset, quantifier, number;
        size_t element_bytes; /* of one value in a list */
        const struct json_enum *names;
        const ProtobufCMessageDescriptor *message; /* of KIND_MESSAGE and KIND_TIME */
        unsigned seconds_offset, nanos_offset;     /* of KIND_TIME */
        _Atomic(const struct json_plan *) child;   /* found at first use */
};

struct json_plan {
        const ProtobufCMessageDescriptor *descriptor;
        unsigned n_fields;
        struct json_field fields[]; /* parallel to descriptor->fields */
};

/* Any thread; no lock. Never fails: out of memory aborts, as in arenas. */
const struct json_plan *json_plan_of(const ProtobufCMessageDescriptor *descriptor);
const struct json_plan *json_plan_child(const struct json_field *field);
/* NULL when the contract does not know the number. */
const struct json_enum_value *json_enum_find(const struct json_enum *names, int number);

#endif
