/* Signatures for S3 match the examples in its documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "services/media/s3_sign.h"

/* From "Authenticating Requests (AWS Signature Version 4)", example GET Bucket (List Objects). */
static void the_documented_example_has_its_signature(void **state)
{
        char header[S3_HEADER_SIZE];
        const struct s3_keys keys = {"us-east-1", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};

        s3_sign(
            &(struct s3_request){.method = "GET",
                                 .host = "examplebucket.s3.amazonaws.com",
                                 .path = "/",
                                 .query = "max-keys=2&prefix=J",
                                 .payload_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                 .now_s = 1369353600},
            &keys, header);
        assert_string_equal(header,
                            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                            "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
                            "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(the_documented_example_has_its_signature)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
