/* Runs all tests of db/ on one private server. Tests that crash it come last. */
#include "db/test_items.h"

int main(void)
{
        return run_rows_tests() + run_tx_tests() + run_together_tests() + run_pool_tests() + run_migrate_tests() +
               run_ownership_tests() + run_probe_tests() + run_lost_tests() + run_pipeline_tests();
}
