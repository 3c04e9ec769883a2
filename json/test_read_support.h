/* Shared by the tests of reading JSON: a call, a message with every kind of field, and the result for a body. */
#ifndef JSON_TEST_READ_SUPPORT_H
#define JSON_TEST_READ_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "json/json.h"
#include "json/test_kinds.h"

extern struct rpc_call *c;
extern JsonTest__Kinds m;

#define READ_TEST(f) cmocka_unit_test_setup_teardown(f, read_test_setup, read_test_teardown)
int read_test_setup(void **state);
int read_test_teardown(void **state);

/* Reads from memory without a NUL after it, so that reading past the end is detected. */
sn_status read_text(const char *text, size_t len, const char *const *skip, ProtobufCMessage *out);
/* Into m. */
void assert_read(const char *text);
void assert_invalid(const char *text, const char *field);
void assert_malformed_bytes(const char *text, size_t len);
#define ASSERT_MALFORMED(literal) assert_malformed_bytes((literal), sizeof(literal) - 1)
void assert_problem(sn_status status, const char *code, const char *field, const char *text);

#endif
