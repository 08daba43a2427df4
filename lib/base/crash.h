/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crash - named points at which a test may kill the process (kill -9).
 *
 * Only the flavour "crash" (make FLAVOUR=crash) has them: CRASH_POINT("x")
 * kills when the environment variable MAILHAUL_CRASH is "x" or "x:N" (the Nth
 * time).  In every other build the macro is empty.
 */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#ifdef MAILHAUL_CRASH_POINTS
void crash_point(const char *name);
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif

#endif
