/* Bytes choose a policy and requests of the small world of tests/policy: the engine and the slow
 * evaluator must agree. */
#include "compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct m_pool pool;
	static struct m_policy p;
	struct xos_policy_answer a;
	struct built b;
	enum xos_policy_decision decision;
	draw_bytes(data, size);
	make_policy(&pool, &p);
	build(&p, &b);
	xos_policy_answer_init(&a);
	for (unsigned i = 0; i < 4; i++) {
		struct m_request r;
		make_request(&r);
		const char *what = compare_one(&p, &b, &r, &a, &decision);
		if (what) {
			report_difference(&p, &r, what);
			abort();
		}
	}
	xos_policy_answer_free(&a);
	built_free(&b);
	return 0;
}
