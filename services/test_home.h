/* Home timelines against a slow reference that is computed from the tables, one rule after the other. */
#ifndef SERVICES_TEST_HOME_H
#define SERVICES_TEST_HOME_H

#include "services/test_support.h"

/* Printed, also with each failure; SONET_TEST_SEED repeats it. */
extern unsigned test_seed;
void test_seed_choose(void);

/* Reads the tables; the checks below compare with their contents at that time. */
void test_home_load(void);
/* Reads the reader's whole home timeline in pages of limit, and fails the test unless it is correct. */
void test_home_check(const char *reader, uint32_t limit, const char *how);
/* The same before and after dropping all cached timelines, with pages of two sizes. */
void test_home_check_deep(const char *reader, const char *how);
size_t test_home_count(const char *reader);

const char *test_post(const char *author); /* its id, until the thread's test_release */
void test_post_many(const char *author, int n);
void test_follow(const char *who, const char *whom);
/* Followers 1 … n, who are not registered, each with a cached timeline that receives deliveries. */
void test_give_followers(const char *author, int n);
/* How many entries their cached timelines have. */
long long test_followers_rows(int n);
/* Whether the cached timeline in Redis has a note by an author after a given one. */
bool test_home_has(const char *reader, const char *author, const char *after);
void test_remove_followers(const char *author);

#endif
