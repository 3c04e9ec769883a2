/* The open part of all contracts, as files for clients that have no .proto files (tools/contract-files.c makes the
 * tables). What the outside may not call stands in none of them: no internal method, no message that only those use,
 * none of SoNet's options, no comments. */
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

/* A service, a method, a message or an enumeration. */
struct contract_symbol {
        const char *name; /* "sonet.note.v1.NoteService.CreateNote" */
        uint16_t file;
};

extern const struct contract_file contract_files[];
extern const size_t contract_files_count;
extern const struct contract_symbol contract_symbols[]; /* sorted by name, as strcmp does */
extern const size_t contract_symbols_count;

#endif
