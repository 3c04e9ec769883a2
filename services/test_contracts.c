/* Properties of all contracts together: the generator sees one .proto at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "services/services.h"

static size_t position_of(const char *name)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (strcmp(sonet_services[i]->name, name) == 0) {
                        return i;
                }
        }
        fail_msg("there is no service \"%s\"", name);
        return 0;
}

/* So the call graph has no cycle, and services can start one after the other. */
static void every_service_comes_after_those_that_it_calls(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const char *const *calls = sonet_services[i]->contract->calls;

                for (size_t k = 0; calls != NULL && calls[k] != NULL; k++) {
                        assert_true(position_of(calls[k]) < i);
                }
        }
}

static bool contains(const char *const *names, const char *name)
{
        for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
                if (strcmp(names[i], name) == 0) {
                        return true;
                }
        }
        return false;
}

static void every_consumer_reads_a_log_declared_in_its_contract(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct bus_consumer *const *consumers = sonet_services[i]->consumers;

                for (size_t k = 0; consumers[k] != NULL; k++) {
                        if (!contains(sonet_services[i]->contract->reads, consumers[k]->source)) {
                                fail_msg("%s consumes events of %s: please add it to `reads` of its contract",
                                         sonet_services[i]->name, consumers[k]->source);
                        }
                }
        }
}

static void every_log_that_is_read_belongs_to_a_service_that_emits(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const char *const *reads = sonet_services[i]->contract->reads;

                for (size_t k = 0; reads != NULL && reads[k] != NULL; k++) {
                        assert_true(sonet_services[position_of(reads[k])]->emits);
                }
        }
}

static bool has_method(const struct rpc_service *contract, const char *name)
{
        for (size_t i = 0; i < contract->n_methods; i++) {
                if (strcmp(contract->methods[i].name, name) == 0) {
                        return true;
                }
        }
        return false;
}

static void exports_of_every_service_can_be_requested(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct service_definition *d = sonet_services[i];

                assert_int_equal(d->exports != NULL, has_method(d->contract, "ReadExport"));
                for (size_t k = 0; d->exports != NULL && d->exports[k].kind != NULL; k++) {
                        assert_string_equal(d->exports[k].statement->database, d->schema->database);
                }
        }
}

static void names_agree_between_definition_contract_and_database(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct service_definition *d = sonet_services[i];
                char database[64];

                snprintf(database, sizeof(database), "%s_service", d->name);
                assert_string_equal(d->contract->name, d->name);
                assert_string_equal(d->schema->database, database);
        }
}

/* Two programs generate them from one contract: protoc-c the structs, the generator the tables that access them. */
static void assert_table_fits(const struct rpc_message *type)
{
        const ProtobufCMessageDescriptor *d = type->descriptor;

        assert_int_equal(type->n_fields, d->n_fields);
        for (unsigned i = 0; i < d->n_fields; i++) {
                const struct rpc_field *f = &type->fields[i];
                const ProtobufCFieldDescriptor *field = &d->fields[i];

                assert_string_equal(f->name, field->name);
                assert_int_equal(f->number, field->id);
                assert_int_equal(f->offset, field->offset);
                assert_int_equal(f->shape == SHAPE_LIST, field->label == PROTOBUF_C_LABEL_REPEATED);
                assert_int_equal(f->shape == SHAPE_ONEOF, (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0);
                assert_int_equal(f->quantifier, f->shape == SHAPE_PLAIN ? 0 : field->quantifier_offset);
                assert_int_equal(f->kind == KIND_STRING, field->type == PROTOBUF_C_TYPE_STRING);
                assert_int_equal(f->names != NULL, field->type == PROTOBUF_C_TYPE_ENUM);
                assert_int_equal(f->message != NULL, field->type == PROTOBUF_C_TYPE_MESSAGE);
                if (f->message != NULL) {
                        assert_ptr_equal(f->message->descriptor, field->descriptor);
                        assert_table_fits(f->message);
                }
        }
}

static void message_tables_match_the_structs_of_protobuf_c(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const struct rpc_service *contract = sonet_services[i]->contract;

                for (size_t k = 0; k < contract->n_methods; k++) {
                        assert_table_fits(contract->methods[k].in);
                        assert_table_fits(contract->methods[k].out);
                }
        }
}

/* These own rows that others request from them, and are fenced by a lease. All later services may run in several
 * processes. */
static void no_other_service_is_single(void **state)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                const char *name = sonet_services[i]->name;

                assert_int_equal(sonet_services[i]->single,
                                 strcmp(name, "user") == 0 || strcmp(name, "note") == 0 || strcmp(name, "follow") == 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_service_comes_after_those_that_it_calls),
            cmocka_unit_test(every_consumer_reads_a_log_declared_in_its_contract),
            cmocka_unit_test(every_log_that_is_read_belongs_to_a_service_that_emits),
            cmocka_unit_test(exports_of_every_service_can_be_requested),
            cmocka_unit_test(names_agree_between_definition_contract_and_database),
            cmocka_unit_test(no_other_service_is_single),
            cmocka_unit_test(message_tables_match_the_structs_of_protobuf_c),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
