/* The list of services, made from service_names of /meson.build. */
#include "services/services.h"

#include <string.h>

#define SERVICE(name, NAME) extern const struct service_definition name##_service;
#include "base/services.def.h"

const struct service_definition *const sonet_services[] = {
#define SERVICE(name, NAME) &name##_service,
#include "base/services.def.h"
};
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
