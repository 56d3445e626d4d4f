#include "CPhoneNumber.h"

#include <cstring>
#include <set>
#include <string>

#include <phonenumbers/phonenumberutil.h>
#include <phonenumbers/shortnumberinfo.h>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;
using i18n::phonenumbers::ShortNumberInfo;

namespace {

const PhoneNumberUtil &util() { return *PhoneNumberUtil::GetInstance(); }

const ShortNumberInfo &short_numbers() {
    // Not given back at the end of the process, when other threads may still ask.
    static const ShortNumberInfo *info = new ShortNumberInfo;
    return *info;
}

bool parse(const char *e164, size_t length, PhoneNumber *number) {
    if (length < 3 || e164[0] != '+') return false;
    return util().Parse(std::string(e164, length), "ZZ", number) == PhoneNumberUtil::NO_PARSING_ERROR;
}

size_t put(const std::string &text, char *out, size_t capacity) {
    if (text.size() > capacity) return 0;
    std::memcpy(out, text.data(), text.size());
    return text.size();
}

size_t put_digits(const std::string &text, char *out, size_t capacity) {
    std::string digits;
    for (char c : text)
        if ((c >= '0' && c <= '9') || c == '+') digits.push_back(c);
    return put(digits, out, capacity);
}

}  // namespace

extern "C" int ll_number_look_up(const char *e164, size_t length, ll_number *out) {
    PhoneNumber number;
    if (!parse(e164, length, &number)) return 0;
    std::string region;
    util().GetRegionCodeForNumber(number, &region);
    std::memset(out, 0, sizeof *out);
    if (region != "ZZ") std::strncpy(out->region, region.c_str(), sizeof out->region - 1);
    out->country_code = number.country_code();
    out->type = util().GetNumberType(number);
    out->area_code_length = util().GetLengthOfGeographicalAreaCode(number);
    // A number has a region if it is one of a plan that has it.
    out->is_valid = out->region[0] != 0;
    out->is_possible = util().IsPossibleNumber(number);
    return 1;
}

extern "C" int32_t ll_region_country_code(const char *region, size_t length) {
    return util().GetCountryCodeForRegion(std::string(region, length));
}

extern "C" int ll_main_region(int32_t country_code, char out[4]) {
    std::string region;
    util().GetRegionCodeForCountryCode(country_code, &region);
    std::memset(out, 0, 4);
    if (region.size() != 2 || region == "ZZ") return 0;
    std::memcpy(out, region.data(), 2);
    return 1;
}

extern "C" size_t ll_regions(char *out, size_t capacity) {
    std::set<std::string> regions;
    util().GetSupportedRegions(&regions);
    std::string all;
    for (const std::string &region : regions)
        if (region.size() == 2) all += region;
    std::memcpy(out, all.data(), all.size() < capacity ? all.size() : capacity);
    return all.size();
}

extern "C" size_t ll_example(const char *region, size_t length, int32_t type, char *out, size_t capacity) {
    if (type < LL_FIXED_LINE || type > LL_UNKNOWN_NUMBER) return 0;
    PhoneNumber number;
    if (!util().GetExampleNumberForType(std::string(region, length), static_cast<PhoneNumberUtil::PhoneNumberType>(type),
                                        &number))
        return 0;
    std::string text;
    util().Format(number, PhoneNumberUtil::E164, &text);
    return put(text, out, capacity);
}

extern "C" size_t ll_national(const char *e164, size_t length, char *out, size_t capacity) {
    PhoneNumber number;
    if (!parse(e164, length, &number)) return 0;
    std::string text;
    util().Format(number, PhoneNumberUtil::NATIONAL, &text);
    return put_digits(text, out, capacity);
}

extern "C" size_t ll_abroad(const char *e164, size_t length, const char *from, size_t from_length, char *out,
                            size_t capacity) {
    PhoneNumber number;
    if (!parse(e164, length, &number)) return 0;
    std::string text;
    util().FormatOutOfCountryCallingNumber(number, std::string(from, from_length), &text);
    return put_digits(text, out, capacity);
}

extern "C" int ll_is_emergency(const char *dialled, size_t length, const char *region, size_t region_length) {
    return short_numbers().IsEmergencyNumber(std::string(dialled, length), std::string(region, region_length)) ? 1 : 0;
}
