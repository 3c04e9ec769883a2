/* Answers reflection requests from tables generated at build time. */
#include "rpc/reflection.h"

#include <stdlib.h>
#include <string.h>

#include "base/contract_files.h"
#include "grpc/reflection/v1/reflection.rpc.h"

enum { SERVICES_MAX = 40 };

typedef Grpc__Reflection__V1__ServerReflectionRequest request;
typedef Grpc__Reflection__V1__ServerReflectionResponse response;
typedef Grpc__Reflection__V1__ListServiceResponse service_list;

#define REQUEST(which)  GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##which
#define RESPONSE(which) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##which

/* ---- The tables ---- */

static int compare_symbol(const void *name, const void *symbol)
{
        return strcmp(name, ((const struct contract_symbol *)symbol)->name);
}

static const struct contract_file *file_of_symbol(const char *name)
{
        const struct contract_symbol *found =
            bsearch(name, contract_symbols, contract_symbols_count, sizeof(*contract_symbols), compare_symbol);
        return found != NULL ? &contract_files[found->file] : NULL;
}

static const struct contract_file *file_named(const char *name)
{
        for (size_t i = 0; i < contract_files_count; i++) {
                if (strcmp(contract_files[i].name, name) == 0) {
                        return &contract_files[i];
                }
        }
        return NULL;
}

/* ---- Answers ---- */

static void answer_not_found(struct rpc_call *c, response *out)
{
        out->message_response_case = RESPONSE(ERROR_RESPONSE);
        out->error_response = ARENA_NEW(c->arena, Grpc__Reflection__V1__ErrorResponse);
        grpc__reflection__v1__error_response__init(out->error_response);
        out->error_response->error_code = (int32_t)SN_NOT_FOUND;
        out->error_response->error_message = arena_strdup(c->arena, "not found in the public contracts");
}

static void answer_file(struct rpc_call *c, response *out, const struct contract_file *file)
{
        if (file == NULL) {
                answer_not_found(c, out);
                return;
        }
        Grpc__Reflection__V1__FileDescriptorResponse *found =
            ARENA_NEW(c->arena, Grpc__Reflection__V1__FileDescriptorResponse);
        grpc__reflection__v1__file_descriptor_response__init(found);
        found->n_file_descriptor_proto = file->n_with;
        found->file_descriptor_proto = ARENA_ARRAY(c->arena, ProtobufCBinaryData, file->n_with);
        for (size_t i = 0; i < file->n_with; i++) {
                const struct contract_file *one = &contract_files[file->with[i]];
                found->file_descriptor_proto[i] = (ProtobufCBinaryData){one->len, (uint8_t *)one->bytes};
        }
        out->message_response_case = RESPONSE(FILE_DESCRIPTOR_RESPONSE);
        out->file_descriptor_response = found;
}

/* The public contracts have no extensions. */
static void answer_extensions(struct rpc_call *c, response *out, const char *type)
{
        if (file_of_symbol(type) == NULL) {
                answer_not_found(c, out);
                return;
        }
        out->message_response_case = RESPONSE(ALL_EXTENSION_NUMBERS_RESPONSE);
        out->all_extension_numbers_response = ARENA_NEW(c->arena, Grpc__Reflection__V1__ExtensionNumberResponse);
        grpc__reflection__v1__extension_number_response__init(out->all_extension_numbers_response);
        out->all_extension_numbers_response->base_type_name = arena_strdup(c->arena, type);
}

static void add_service(struct rpc_call *c, service_list *list, char *name)
{
        Grpc__Reflection__V1__ServiceResponse *one = ARENA_NEW(c->arena, Grpc__Reflection__V1__ServiceResponse);
        grpc__reflection__v1__service_response__init(one);
        one->name = name;
        list->service[list->n_service++] = one;
}

/* The services of this process with public methods. A method's path starts with its service. */
static void answer_services(struct rpc_call *c, response *out)
{
        service_list *list = ARENA_NEW(c->arena, service_list);
        const struct rpc_service *const *contracts;
        size_t n = contract_services(&contracts);
        grpc__reflection__v1__list_service_response__init(list);
        list->service = ARENA_ARRAY(c->arena, Grpc__Reflection__V1__ServiceResponse *, SERVICES_MAX);
        add_service(c, list, arena_strdup(c->arena, "grpc.health.v1.Health"));
        add_service(c, list, arena_strdup(c->arena, "grpc.reflection.v1.ServerReflection"));
        for (size_t i = 0; i < n && list->n_service < SERVICES_MAX; i++) {
                if (contracts[i]->n_methods > 0 && rpc_local_service(contracts[i]->name) != NULL) {
                        const char *path = contracts[i]->methods[0].full_name + 1;
                        char *name = arena_strndup(c->arena, path, strcspn(path, "/"));
                        if (file_of_symbol(name) != NULL) {
                                add_service(c, list, name);
                        }
                }
        }
        out->message_response_case = RESPONSE(LIST_SERVICES_RESPONSE);
        out->list_services_response = list;
}

static sn_status answer_request(struct rpc_call *c, const request *in, response *out)
{
        switch (in->message_request_case) {
        case REQUEST(LIST_SERVICES):
                answer_services(c, out);
                return SN_OK;
        case REQUEST(FILE_BY_FILENAME):
                answer_file(c, out, file_named(in->file_by_filename));
                return SN_OK;
        case REQUEST(FILE_CONTAINING_SYMBOL):
                answer_file(c, out, file_of_symbol(in->file_containing_symbol));
                return SN_OK;
        case REQUEST(FILE_CONTAINING_EXTENSION):
                answer_file(c, out, NULL);
                return SN_OK;
        case REQUEST(ALL_EXTENSION_NUMBERS_OF_TYPE):
                answer_extensions(c, out, in->all_extension_numbers_of_type);
                return SN_OK;
        default:
                return rpc_fail(c, SN_INVALID_ARGUMENT, "message_request", "is required");
        }
}

sn_status reflection_answer(struct rpc_call *c, struct str bytes, ProtobufCMessage **result)
{
        ProtobufCMessage *unpacked;
        TRY(rpc_unpack(c, &grpc__reflection__v1__server_reflection_request__message, (const uint8_t *)bytes.ptr,
                       bytes.len, &unpacked));
        response *out = ARENA_NEW(c->arena, response);
        grpc__reflection__v1__server_reflection_response__init(out);
        out->original_request = (request *)unpacked;
        out->valid_host = out->original_request->host;
        *result = &out->base;
        return answer_request(c, out->original_request, out);
}
