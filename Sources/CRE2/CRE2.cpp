#include "CRE2.h"

#include <cstring>
#include <string>

#include <re2/re2.h>

struct ll_re2 {
    RE2 expression;
    ll_re2(re2::StringPiece pattern, const RE2::Options &options) : expression(pattern, options) {}
};

static const int ll_re2_program_max = 2000;

extern "C" ll_re2 *ll_re2_compile(const char *pattern, size_t length, char *error, size_t error_capacity) {
    RE2::Options options;
    options.set_log_errors(false);
    // A dialled number has 128 bytes at most, and thousands of expressions are kept at a time.
    options.set_max_mem(256 << 10);
    auto *re = new ll_re2(re2::StringPiece(pattern, length), options);
    std::string problem = re->expression.error();
    if (re->expression.ok()) {
        // Time per match is text times program: what repeats a repetition a thousand times is nobody's dial plan.
        if (re->expression.ProgramSize() <= ll_re2_program_max) return re;
        problem = "makes a program of " + std::to_string(re->expression.ProgramSize()) + " steps; at most " +
                  std::to_string(ll_re2_program_max) + " are allowed: repeat less";
    }
    if (error_capacity > 0) {
        std::strncpy(error, problem.c_str(), error_capacity - 1);
        error[error_capacity - 1] = 0;
    }
    delete re;
    return nullptr;
}

extern "C" void ll_re2_free(ll_re2 *re) { delete re; }

extern "C" int ll_re2_groups(const ll_re2 *re) { return re->expression.NumberOfCapturingGroups(); }

extern "C" int ll_re2_accepts(const ll_re2 *re, const char *rewrite, size_t length) {
    std::string problem;
    return re->expression.CheckRewriteString(re2::StringPiece(rewrite, length), &problem) ? 1 : 0;
}

extern "C" int ll_re2_matches(const ll_re2 *re, const char *text, size_t length) {
    return RE2::PartialMatch(re2::StringPiece(text, length), re->expression) ? 1 : 0;
}

extern "C" long ll_re2_replace(const ll_re2 *re, const char *text, size_t length, const char *rewrite,
                               size_t rewrite_length, char *out, size_t capacity) {
    std::string problem;
    re2::StringPiece replacement(rewrite, rewrite_length);
    if (!re->expression.CheckRewriteString(replacement, &problem)) return -2;
    std::string value(text, length);
    if (!RE2::Replace(&value, re->expression, replacement)) return -1;
    if (value.size() > capacity) return -2;
    std::memcpy(out, value.data(), value.size());
    return static_cast<long>(value.size());
}
