// C face of libphonenumber: which country a number is of, what kind of number it is, how it is written and dialled there.
// A region is two letters (ISO 3166-1) and a NUL; "001" stands for numbers of no country. Safe from many threads.
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
    char region[4];            // empty: no numbers like this
    int32_t country_code;
    int32_t type;              // ll_number_type
    int32_t area_code_length;  // digits of the national number that are its area code; 0: it has none
    int32_t is_valid;          // 1: assigned to somebody by its country's plan
    int32_t is_possible;       // 1: of a length that its country has
} ll_number;
typedef enum {
    LL_FIXED_LINE = 0,
    LL_MOBILE = 1,
    LL_FIXED_LINE_OR_MOBILE = 2,
    LL_TOLL_FREE = 3,
    LL_PREMIUM_RATE = 4,
    LL_SHARED_COST = 5,
    LL_VOIP = 6,
    LL_PERSONAL_NUMBER = 7,
    LL_PAGER = 8,
    LL_UAN = 9,
    LL_VOICEMAIL = 10,
    LL_UNKNOWN_NUMBER = 11
} ll_number_type;
/// Looks an E.164 number (with its plus) up; 0 if it begins with no country code.
int ll_number_look_up(const char *e164, size_t length, ll_number *out);
/// Country code of a region; 0: there is no such region.
int32_t ll_region_country_code(const char *region, size_t length);
/// The region that numbers are of which begin with the country code and are not told to be another's; returns 0 if none.
int ll_main_region(int32_t country_code, char out[4]);
/// Regions, two letters each without separators, in no order; returns how many bytes there are, which may exceed `capacity`.
size_t ll_regions(char *out, size_t capacity);
/// An example of a kind of number of the region, as E.164; returns its length, 0 if there is none.
size_t ll_example(const char *region, size_t length, int32_t type, char *out, size_t capacity);
/// The number as it is written in its own country, without blanks and signs; returns its length, 0 if it cannot be.
size_t ll_national(const char *e164, size_t length, char *out, size_t capacity);
/// The number as it is dialled from another region, without blanks and signs; returns its length, 0 if it cannot be.
size_t ll_abroad(const char *e164, size_t length, const char *from, size_t from_length, char *out, size_t capacity);
/// 1 if the text is an emergency number there, exactly.
int ll_is_emergency(const char *dialled, size_t length, const char *region, size_t region_length);
#ifdef __cplusplus
}
#endif
