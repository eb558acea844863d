#include "run_test.h"

int main(void)
{
	SRunner *r = srunner_create(codec_suite());
	int failed;

	srunner_add_suite(r, monitor_suite());
	srunner_add_suite(r, frozen_suite());
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
