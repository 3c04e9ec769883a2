/* Where a test kills this process: between two steps, of which the second must happen nevertheless. In release builds
 * these are nothing. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef NDEBUG
static inline void fault_point(const char *name)
{
        (void)name;
}
#else
/* SIGKILL, when the folder SONET_FAULT_DIR has a file of this name; the file is removed, so that it happens once. */
void fault_point(const char *name);
#endif

#endif
