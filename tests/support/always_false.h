/* SPDX-License-Identifier: Apache-2.0 */
/*
 * always_false - tells clang-tidy, which sees one file at a time, that
 * `return error_set(…)` returns false.  Included by force in tests/support/lint.
 */
#ifndef SUPPORT_ALWAYS_FALSE_H
#define SUPPORT_ALWAYS_FALSE_H

#include "base/error.h"

#define error_set(...) (error_set(__VA_ARGS__), false)
#define error_errno(...) (error_errno(__VA_ARGS__), false)
#define error_prefix(...) (error_prefix(__VA_ARGS__), false)

#endif
