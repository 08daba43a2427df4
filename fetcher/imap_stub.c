#include "fetcher/protocol.h"
const struct protocol imap_protocol = { .name = "IMAP" };
