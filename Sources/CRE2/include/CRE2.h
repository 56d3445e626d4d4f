// C face of RE2: expressions written by users run in linear time and bounded memory.
#pragma once
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct ll_re2 ll_re2;
/// Compiles `pattern`; on failure, and if its program is larger than anybody needs, returns NULL and writes a message (NUL-terminated) to `error`.
ll_re2 *ll_re2_compile(const char *pattern, size_t length, char *error, size_t error_capacity);
void ll_re2_free(ll_re2 *re);
/// How many capturing groups the expression has.
int ll_re2_groups(const ll_re2 *re);
/// 1 if `rewrite` names only groups that the expression has, else 0.
int ll_re2_accepts(const ll_re2 *re, const char *rewrite, size_t length);
/// 1 if the expression matches anywhere in `text`, else 0.
int ll_re2_matches(const ll_re2 *re, const char *text, size_t length);
/// Replaces the first match with `rewrite` (`\1` … `\9`); returns the new length, -1 if nothing
/// matched, -2 if the rewrite is invalid for this expression or the result exceeds `capacity`.
long ll_re2_replace(const ll_re2 *re, const char *text, size_t length, const char *rewrite, size_t rewrite_length,
                    char *out, size_t capacity);
#ifdef __cplusplus
}
#endif
