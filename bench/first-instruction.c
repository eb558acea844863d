/* Prints when it began, nanoseconds since 1970: the job of bench/jobstart.bash. */
#include <stdio.h>
#include <time.h>

int main(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	printf("%lld%09ld\n", (long long)t.tv_sec, t.tv_nsec);
	return 0;
}
