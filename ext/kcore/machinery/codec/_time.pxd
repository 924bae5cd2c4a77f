# RFC 3339 in UTC to and from unix seconds, for the two shapes that Kubernetes itself writes: whole seconds and microseconds.
# Days are counted in years that start in March, so that the leap day is the last of its year (H. Hinnant, "chrono-Compatible
# Low-Level Date Algorithms").
from kcore.scalars cimport int32_t, int64_t, uint8_t, uint32_t

# Lengths of `2006-01-02T15:04:05Z` and `2006-01-02T15:04:05.000000Z`, and the seconds of years 1 to 9999.
cdef enum:
    TIME_SIZE = 20
    MICRO_TIME_SIZE = 27

cdef extern from *:
    """
    #define SECONDS_MIN (-62135596800LL)
    #define SECONDS_MAX 253402300799LL
    """
    const int64_t SECONDS_MIN
    const int64_t SECONDS_MAX


cdef inline void put_digits(char *at, int count, uint32_t value) noexcept nogil:
    cdef int index
    for index in range(count - 1, -1, -1):
        at[index] = <char>(48 + value % 10)
        value //= 10


cdef inline bint take_digits(const char *at, int count, uint32_t *value) noexcept nogil:
    cdef int index
    cdef uint32_t result = 0
    for index in range(count):
        if at[index] < 48 or at[index] > 57:
            return False
        result = result * 10 + <uint32_t>(at[index] - 48)
    value[0] = result
    return True


cdef inline int format_time(int64_t seconds, int32_t nanos, bint micro, char *text) noexcept nogil:
    """Write a moment of the years 1 to 9999; Returns the number of characters."""
    cdef int64_t shifted = seconds - SECONDS_MIN
    cdef uint32_t of_day = <uint32_t>(shifted % 86400)
    # Day 0 of these years is 0000-03-01, 306 days before 0001-01-01.
    cdef uint32_t day = <uint32_t>(shifted // 86400) + 306
    cdef uint32_t era = day // 146097
    cdef uint32_t of_era = day - era * 146097
    cdef uint32_t year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    cdef uint32_t of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    cdef uint32_t march_month = (5 * of_year + 2) // 153
    cdef uint32_t month = march_month + 3 if march_month < 10 else march_month - 9
    put_digits(text, 4, year_of_era + era * 400 + (1 if month <= 2 else 0))
    put_digits(text + 5, 2, month)
    put_digits(text + 8, 2, of_year - (153 * march_month + 2) // 5 + 1)
    put_digits(text + 11, 2, of_day // 3600)
    put_digits(text + 14, 2, of_day % 3600 // 60)
    put_digits(text + 17, 2, of_day % 60)
    text[4] = text[7] = b"-"
    text[10] = b"T"
    text[13] = text[16] = b":"
    if not micro:
        text[19] = b"Z"
        return TIME_SIZE
    text[19] = b"."
    put_digits(text + 20, 6, <uint32_t>nanos // 1000)
    text[26] = b"Z"
    return MICRO_TIME_SIZE


cdef inline bint parse_time(const char *text, Py_ssize_t size, bint micro, int64_t *seconds, int32_t *nanos) noexcept nogil:
    """Read a moment in the shape that `format_time` writes; Returns whether it was one."""
    cdef uint32_t year = 0
    cdef uint32_t month = 0
    cdef uint32_t day = 0
    cdef uint32_t hour = 0
    cdef uint32_t minute = 0
    cdef uint32_t second = 0
    cdef uint32_t fraction = 0
    if size != (MICRO_TIME_SIZE if micro else TIME_SIZE) or text[size - 1] != b"Z":
        return False
    if text[4] != b"-" or text[7] != b"-" or text[10] != b"T" or text[13] != b":" or text[16] != b":":
        return False
    if not (take_digits(text, 4, &year) and take_digits(text + 5, 2, &month) and take_digits(text + 8, 2, &day)):
        return False
    if not (take_digits(text + 11, 2, &hour) and take_digits(text + 14, 2, &minute) and take_digits(text + 17, 2, &second)):
        return False
    if micro and (text[19] != b"." or not take_digits(text + 20, 6, &fraction)):
        return False
    if year < 1 or month < 1 or month > 12 or day < 1 or day > month_days(year, month) or hour > 23 or minute > 59 or second > 59:
        return False
    cdef uint32_t march_year = year - (1 if month <= 2 else 0)
    cdef uint32_t march_month = month - 3 if month > 2 else month + 9
    cdef uint32_t era = march_year // 400
    cdef uint32_t year_of_era = march_year - era * 400
    cdef uint32_t of_year = (153 * march_month + 2) // 5 + day - 1
    cdef int64_t days = <int64_t>era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year
    seconds[0] = SECONDS_MIN + (days - 306) * 86400 + hour * 3600 + minute * 60 + second
    nanos[0] = <int32_t>(fraction * 1000)
    return True


cdef inline uint32_t month_days(uint32_t year, uint32_t month) noexcept nogil:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31
