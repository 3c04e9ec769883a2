/* The list of services: a new one is a line here. */
#include "services/services.h"

#include <string.h>
#include "services/follow/follow.h"
#include "services/note/note.h"
#include "services/timeline/timeline.h"
#include "services/user/user.h"

/* In the order in which they start: a service comes after those that it calls. */
const struct service_definition *const sonet_services[] = {&user_service, &follow_service, &note_service,
                                                           &timeline_service};
const size_t sonet_n_services = sizeof(sonet_services) / sizeof(sonet_services[0]);

const struct service_definition *service_definition_find(const char *name)
{
        for (size_t i = 0; i < sonet_n_services; i++) {
                if (strcmp(sonet_services[i]->name, name) == 0) {
                        return sonet_services[i];
                }
        }
        return NULL;
}
