/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_as - root's commands that touch the state work as the user to whom it
 * belongs (mailhaul): nothing that they make belongs to root, and what they
 * start (sendmail) has no rights of root.
 */
#ifndef ADMIN_RUN_AS_H
#define ADMIN_RUN_AS_H

#include "base/error.h"

/* For good.  Does nothing unless this is root and the folder is somebody else's.
 * ERROR_CONFIG: no such folder. */
bool run_as_owner(const char *folder, struct error *);

#endif
