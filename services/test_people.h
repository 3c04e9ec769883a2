/* Three members, created for each test, and the requests that most tests make for them. */
#ifndef SERVICES_TEST_PEOPLE_H
#define SERVICES_TEST_PEOPLE_H

#include "services/test_support.h"

#define PUBLIC    NOTE__VISIBILITY__VISIBILITY_PUBLIC
#define FOLLOWERS NOTE__VISIBILITY__VISIBILITY_FOLLOWERS
#define ONLY_ME   NOTE__VISIBILITY__VISIBILITY_ONLY_ME

extern const char *anna, *bert, *cleo;

#define PEOPLE_TEST(f) cmocka_unit_test_setup_teardown(f, test_people, test_people_end)
int test_people(void **state);
int test_people_end(void **state);

const char *people_post(const char *author, const char *text, int visibility); /* the note's id */
void people_follow(const char *who, const char *whom);
/* The texts of notes, joined by spaces; renoted ones in brackets. In a buffer of the thread. */
const char *people_texts(Note__Note *const *items, size_t n);
/* The same of a whole timeline. */
const char *people_home(const char *who);
const char *people_wall(const char *reader, const char *of);

#endif
