/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetcher_program - where mailhaul-fetcher is: beside this program (a build
 * folder), in the sbin beside its bin, else where packages put it.
 */
#ifndef ADMIN_FETCHER_PROGRAM_H
#define ADMIN_FETCHER_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

bool fetcher_program_find(char path[static PATH_MAX]);

#endif
