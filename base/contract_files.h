/* The public part of all contracts, as descriptors for clients without .proto files (tools/contract-files.c
 * generates the tables). Anything that external callers cannot use is left out: internal methods, messages used only
 * by them, SoNet's options and comments. */
#ifndef BASE_CONTRACT_FILES_H
#define BASE_CONTRACT_FILES_H

#include <stddef.h>
#include <stdint.h>

struct contract_file {
        const char *name;     /* "services/note/note.proto" */
        const uint8_t *bytes; /* a packed google.protobuf.FileDescriptorProto */
        size_t len;
        const uint16_t *with; /* the numbers of this file and of all that it imports, itself first */
        size_t n_with;
};

/* A service, method, message or enumeration. */
struct contract_symbol {
        const char *name; /* "sonet.note.v1.NoteService.CreateNote" */
        uint16_t file;
};

extern const struct contract_file contract_files[];
extern const size_t contract_files_count;
extern const struct contract_symbol contract_symbols[]; /* sorted by name, as strcmp does */
extern const size_t contract_symbols_count;

#endif
