#include "base/clock.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

#define DAY 86400
#define TIME_LAST INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

int64_t xos_clock_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int64_t xos_clock_mono_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int month_days(int y, int m)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return m == 2 && leap(y) ? 29 : days[m - 1];
}

/* Days from 1970-01-01 to the first day of the year. */
static int64_t year_start(int y)
{
	int64_t past = y - 1;
	return (past - 1969) * 365 + (past / 4 - 1969 / 4) - (past / 100 - 1969 / 100) +
	       (past / 400 - 1969 / 400);
}

static void put_two(char *out, int v)
{
	out[0] = (char)('0' + v / 10);
	out[1] = (char)('0' + v % 10);
}

void xos_time_format(int64_t t, char out[XOS_TIME_TEXT])
{
	if (t < 0)
		t = 0;
	if (t > TIME_LAST)
		t = TIME_LAST;
	int64_t days = t / DAY;
	int y = (int)(1970 + days / 366), m = 1, rest = (int)(t % DAY);
	while (year_start(y + 1) <= days)
		y++;
	days -= year_start(y);
	for (; days >= month_days(y, m); m++)
		days -= month_days(y, m);
	/* By hand: three of these stand in each decision, its record and its event. */
	memcpy(out, "0000-00-00T00:00:00Z", sizeof("0000-00-00T00:00:00Z"));
	put_two(out, y / 100);
	put_two(out + 2, y % 100);
	put_two(out + 5, m);
	put_two(out + 8, (int)days + 1);
	put_two(out + 11, rest / 3600);
	put_two(out + 14, rest / 60 % 60);
	put_two(out + 17, rest % 60);
}

static int digits(const char *s, size_t n)
{
	int v = 0;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (s[i] - '0');
	return v;
}

bool xos_time_parse(const char *s, int64_t *t)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
	if (!s || strlen(s) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
			return false;
	int y = digits(s, 4), m = digits(s + 5, 2), d = digits(s + 8, 2);
	int hour = digits(s + 11, 2), min = digits(s + 14, 2), sec = digits(s + 17, 2);
	if (y < 1970 || m < 1 || m > 12 || d < 1 || d > month_days(y, m) || hour > 23 || min > 59 ||
	    sec > 59)
		return false;
	int64_t days = year_start(y) + d - 1;
	for (int i = 1; i < m; i++)
		days += month_days(y, i);
	*t = days * DAY + hour * 3600 + min * 60 + sec;
	return true;
}

void xos_duration_format(int64_t seconds, char out[XOS_TIME_TEXT])
{
	const char *sign = seconds < 0 ? "-" : "";
	uint64_t s = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	unsigned long long d = s / DAY, h = s / 3600 % 24, m = s / 60 % 60;
	if (d && h)
		xos_str_printf(out, XOS_TIME_TEXT, "%s%llud%lluh", sign, d, h);
	else if (d)
		xos_str_printf(out, XOS_TIME_TEXT, "%s%llud", sign, d);
	else if (h)
		xos_str_printf(out, XOS_TIME_TEXT, "%s%lluh%02llum", sign, h, m);
	else if (m)
		xos_str_printf(out, XOS_TIME_TEXT, "%s%llum%02us", sign, m, (unsigned)(s % 60));
	else
		xos_str_printf(out, XOS_TIME_TEXT, "%s%us", sign, (unsigned)s);
}

bool xos_duration_parse(const char *s, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY}, {'w', 7 * DAY}};
	char number[24];
	size_t n = s ? strlen(s) : 0;
	if (n < 2 || n > sizeof(number))
		return false;
	memcpy(number, s, n - 1);
	number[n - 1] = 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t v;
		if (units[i].unit != s[n - 1])
			continue;
		if (!xos_parse_u64(number, (uint64_t)(INT64_MAX / units[i].seconds), &v))
			return false;
		*seconds = (int64_t)v * units[i].seconds;
		return true;
	}
	return false;
}
