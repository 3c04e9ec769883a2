/* Which texts are addresses and networks, and which addresses a network contains. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/status.h"

static void an_address_has_one_canonical_text(void **state)
{
        static const char *const texts[][2] = {
            {"192.0.2.1", "192.0.2.1"},
            {"::ffff:192.0.2.1", "192.0.2.1"},
            {"::FFFF:c000:201", "192.0.2.1"},
            {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
            {"::1", "::1"},
            {"fe80::1%eth0", "fe80::1"},
        };
        uint8_t address[ADDRESS_BYTES];
        char text[ADDRESS_TEXT_SIZE];
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                assert_true(address_parse(str_of(texts[i][0]), address));
                assert_string_equal(address_write(address, text), texts[i][1]);
        }
}

static void invalid_addresses_are_rejected(void **state)
{
        static const char *const texts[] = {"",
                                            "1",
                                            "192.0.2",
                                            "192.0.2.256",
                                            "192.0.2.01",
                                            "192.0.2.1:80",
                                            "[::1]",
                                            ":::",
                                            "2001:db8::g",
                                            "localhost",
                                            "%eth0",
                                            "192.0.2.1%eth0",
                                            "1.2.3.4 ",
                                            "unknown",
                                            "_hidden",
                                            "1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9:1:2:3:4:5:6:7:8:9:"};
        uint8_t address[ADDRESS_BYTES];
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                if (address_parse(str_of(texts[i]), address)) {
                        fail_msg("\"%s\" was taken", texts[i]);
                }
        }
        assert_false(address_parse((struct str){0}, address));
        assert_false(address_parse(STR("192.0.2.1\0x"), address));
}

static bool holds(const char *list, const char *text)
{
        struct networks networks;
        struct str bad;
        uint8_t address[ADDRESS_BYTES];
        assert_true(networks_parse(list, &networks, &bad));
        assert_true(address_parse(str_of(text), address));
        return networks_contain(&networks, address);
}

static void a_network_contains_its_addresses_and_no_others(void **state)
{
        assert_true(holds("10.0.0.0/8", "10.255.255.255"));
        assert_false(holds("10.0.0.0/8", "11.0.0.0"));
        assert_true(holds("172.16.0.0/12", "172.31.255.255"));
        assert_false(holds("172.16.0.0/12", "172.32.0.0"));
        assert_true(holds("192.0.2.1", "192.0.2.1"));
        assert_false(holds("192.0.2.1", "192.0.2.2"));
        assert_true(holds("192.0.2.1/32", "::ffff:192.0.2.1"));
        assert_true(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
        assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
        assert_true(holds("::1", "::1"));
        assert_true(holds("192.0.2.1 ,\t2001:db8::/32", "2001:db8::5"));
        assert_true(holds("128.0.0.0/1", "255.255.255.255"));
        assert_false(holds("::/1", "192.0.2.1")); /* IPv4 is not part of it, whatever the bytes are */
        assert_false(holds("", "127.0.0.1"));
}

static void a_list_with_a_typo_is_rejected(void **state)
{
        static const char *const lists[][2] = {
            {"10.0.0.1/8", "10.0.0.1/8"},
            {"127.0.0.1, proxy.example", "proxy.example"},
            {"0.0.0.0/0", "0.0.0.0/0"},
            {"::/0", "::/0"},
            {"::ffff:0.0.0.0/96", "::ffff:0.0.0.0/96"},
            {"10.0.0.0/33", "10.0.0.0/33"},
            {"2001:db8::/129", "2001:db8::/129"},
            {"10.0.0.0/", "10.0.0.0/"},
            {"10.0.0.0/x", "10.0.0.0/x"},
            {"10.0.0.0/-1", "10.0.0.0/-1"},
            {"10.0.0.0/8/8", "10.0.0.0/8/8"},
            {"127.0.0.1,,::1", ""},
            {"127.0.0.1;::1", "127.0.0.1;::1"},
        };
        for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
                struct networks networks;
                struct str bad;
                if (networks_parse(lists[i][0], &networks, &bad)) {
                        fail_msg("\"%s\" was taken", lists[i][0]);
                }
                assert_true(str_equal_c(bad, lists[i][1]));
        }
}

static void the_length_of_a_list_is_limited(void **state)
{
        CLEANUP(buf_free) struct buf list;
        struct networks networks;
        struct str bad;
        buf_init(&list, 1000);
        for (int i = 0; i < NETWORKS_MAX; i++) {
                buf_append_c(&list, i == 0 ? "10.0.0.1" : ",10.0.0.1");
        }
        assert_true(networks_parse(list.data, &networks, &bad));
        buf_append_c(&list, ",10.0.0.1");
        assert_false(networks_parse(list.data, &networks, &bad));
}

static void a_customer_is_an_ipv4_address_or_a_64(void **state)
{
        static const char *const texts[][2] = {{"192.0.2.1", "192.0.2.1"},
                                               {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
                                               {"2001:db8:1:2::", "2001:db8:1:2::"}};
        uint8_t address[ADDRESS_BYTES];
        char text[ADDRESS_TEXT_SIZE];
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                assert_true(address_parse(str_of(texts[i][0]), address));
                address_to_network(address);
                assert_string_equal(address_write(address, text), texts[i][1]);
        }
}

static void non_public_ranges_are_not_public(void **state)
{
        static const char *const public_ones[] = {
            "8.8.8.8",         "1.1.1.1",           "172.15.255.255",  "172.32.0.0",       "100.128.0.0",
            "223.255.255.255", "2a00:1450:4001::1", "2606:4700::1111", "64:ff9b::8.8.8.8", "2001:200::1"};
        static const char *const others[] = {"0.0.0.0",
                                             "10.1.2.3",
                                             "100.64.0.1",
                                             "127.0.0.1",
                                             "127.255.255.255",
                                             "169.254.169.254",
                                             "172.16.0.1",
                                             "172.31.255.255",
                                             "192.0.0.8",
                                             "192.0.2.1",
                                             "192.168.1.1",
                                             "198.18.0.1",
                                             "198.51.100.1",
                                             "203.0.113.1",
                                             "224.0.0.1",
                                             "255.255.255.255",
                                             "::",
                                             "::1",
                                             "::7f00:1",
                                             "::ffff:127.0.0.1",
                                             "::ffff:10.0.0.1",
                                             "64:ff9b::127.0.0.1",
                                             "64:ff9b::a9fe:a9fe",
                                             "64:ff9b:1::1",
                                             "100::1",
                                             "2001::1",
                                             "2001:db8::1",
                                             "2002:7f00:1::",
                                             "3fff::1",
                                             "fc00::1",
                                             "fd12::1",
                                             "fe80::1",
                                             "fec0::1",
                                             "ff02::1"};
        uint8_t address[ADDRESS_BYTES];
        for (size_t i = 0; i < sizeof(public_ones) / sizeof(public_ones[0]); i++) {
                assert_true(address_parse(str_of(public_ones[i]), address));
                assert_true(address_is_public(address));
        }
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                assert_true(address_parse(str_of(others[i]), address));
                assert_false(address_is_public(address));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(non_public_ranges_are_not_public),
            cmocka_unit_test(an_address_has_one_canonical_text),
            cmocka_unit_test(invalid_addresses_are_rejected),
            cmocka_unit_test(a_network_contains_its_addresses_and_no_others),
            cmocka_unit_test(a_list_with_a_typo_is_rejected),
            cmocka_unit_test(the_length_of_a_list_is_limited),
            cmocka_unit_test(a_customer_is_an_ipv4_address_or_a_64),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
