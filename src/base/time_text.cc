#include "src/base/time_text.h"

namespace postern::base {
namespace {

void Put(int64_t value, size_t digits, char** at) {
  for (size_t i = digits; i-- > 0; value /= 10) {
    (*at)[i] = static_cast<char>('0' + value % 10);
  }
  *at += digits;
}

// Towards the past, also before 1970 and before the year 0's March.
int64_t DivideDown(int64_t value, int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

TimeText::TimeText(int64_t wall_ms) {
  int64_t seconds = DivideDown(wall_ms, 1000);
  // Civil date from days since 1970 by the 400-year cycle of the calendar, years beginning in
  // March.
  int64_t days = DivideDown(seconds, 86400) + 719468;
  int64_t era = DivideDown(days, 146097);
  int64_t day_of_era = days - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_index = (5 * day_of_year + 2) / 153;
  int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
  int64_t second_of_day = seconds - DivideDown(seconds, 86400) * 86400;
  char* at = text_.data();
  Put(year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4, &at);
  *at++ = '-';
  Put(month, 2, &at);
  *at++ = '-';
  Put(day_of_year - (153 * month_index + 2) / 5 + 1, 2, &at);
  *at++ = 'T';
  Put(second_of_day / 3600, 2, &at);
  *at++ = ':';
  Put(second_of_day / 60 % 60, 2, &at);
  *at++ = ':';
  Put(second_of_day % 60, 2, &at);
  *at++ = '.';
  Put(wall_ms - seconds * 1000, 3, &at);
  *at++ = 'Z';
}

}  // namespace postern::base
