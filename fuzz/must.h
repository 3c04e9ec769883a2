/* Assertions for fuzz targets, also in builds without assertions. */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <stdlib.h>

#define MUST(condition)                                                                                                \
        do {                                                                                                           \
                if (!(condition)) {                                                                                    \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

#endif
