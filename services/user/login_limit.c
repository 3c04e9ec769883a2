/* Owns the delays after wrong passwords. The failures come from the log-in history (store_logins.c). */
#include "services/user/login_limit.h"

#include "base/address.h"

enum {
        FREE_OF_NETWORK = 10, /* also per known device */
        FREE_OF_NAME = 100,
        FREE_CODES = 10, /* from any address: there are only a million codes, and anyone who tries them already has the
                            password */
        FIRST_WAIT_MS = 15000,
        LONGEST_WAIT_MS = 900000,
        DOUBLINGS = 6, /* from the shortest delay to the longest */
};

char *login_limit_network(struct arena *arena, const char *address)
{
        uint8_t bytes[ADDRESS_BYTES];

        if (!address_parse(str_of(address), bytes)) {
                return arena_strdup(arena, address);
        }
        address_to_network(bytes);
        return address_write(bytes, arena_alloc(arena, ADDRESS_TEXT_SIZE));
}

/* After n failures, the last of them that long ago. */
static int64_t left_ms(int64_t n, int64_t free, int64_t since_ms)
{
        int64_t wait_ms = LONGEST_WAIT_MS;

        if (n < free) {
                return 0;
        }
        if (n - free < DOUBLINGS) {
                wait_ms = (int64_t)FIRST_WAIT_MS << (n - free);
        }
        return wait_ms > since_ms ? wait_ms - since_ms : 0;
}

static int wait_s(const UserRows__LoginFailures *failures, bool known_device, int64_t free_of_name)
{
        int64_t here = left_ms(failures->of_network, FREE_OF_NETWORK, failures->of_network_since_ms);
        int64_t anywhere = left_ms(failures->of_name, free_of_name, failures->of_name_since_ms);
        int64_t device = left_ms(failures->of_device, FREE_OF_NETWORK, failures->of_device_since_ms);
        int64_t longest = here > anywhere ? here : anywhere;

        return (int)(((known_device ? device : longest) + 999) / 1000);
}

int login_limit_wait_s(const UserRows__LoginFailures *failures, bool known_device)
{
        return wait_s(failures, known_device, FREE_OF_NAME);
}

static sn_status refuse_while(struct rpc_call *c, int seconds, const char *what)
{
        if (seconds == 0) {
                return SN_OK;
        }
        (void)rpc_fail_code(c, SN_RESOURCE_EXHAUSTED, "too_many_failures", NULL,
                            "too many incorrect %s; wait %d seconds, or log in from a device that you have used before",
                            what, seconds);
        c->problem.retry_after_s = seconds;
        return SN_RESOURCE_EXHAUSTED;
}

sn_status login_limit_check(struct rpc_call *c, const UserRows__LoginFailures *failures, bool known_device)
{
        return refuse_while(c, login_limit_wait_s(failures, known_device), "passwords");
}

sn_status login_limit_check_code(struct rpc_call *c, const UserRows__LoginFailures *failures, bool known_device)
{
        return refuse_while(c, wait_s(failures, known_device, FREE_CODES), "codes");
}
