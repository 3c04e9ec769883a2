/* Points at which tests kill this process: between two steps, of which the second must happen nevertheless. No-ops
 * in release builds. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef NDEBUG
static inline void fault_point(const char *name)
{
        (void)name;
}
#else
/* Kills the process with SIGKILL if the folder SONET_FAULT_DIR has a file of this name, after removing it, so that
 * it happens once. */
void fault_point(const char *name);
#endif

#endif
