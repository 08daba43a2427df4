# Mailhaul.  `make help` lists the targets.  One file, no recursion.
# SPDX-License-Identifier: Apache-2.0
# Flavours: make FLAVOUR=clang|san|tsan|crash|fuzz; objects are in build/FLAVOUR.

FLAVOUR ?= release
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/mailhaul
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
PKG_CONFIG ?= pkg-config
B := build/$(FLAVOUR)
VERSION := 0.1.0

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wwrite-strings -Wvla \
	-Wformat=2 -Wundef -Wconversion -Wno-sign-conversion \
	-Wimplicit-fallthrough -Wcast-qual -Werror
HARDENING := -fstack-protector-strong -fPIE
LDHARDENING := -pie -Wl,-z,relro,-z,now
PACKAGES := libssl libcrypto libevent_core libevent_openssl libevent_pthreads \
	yaml-0.1 sqlite3 libidn2 jansson
DEFINES := -D_GNU_SOURCE -DMAILHAUL_VERSION='"$(VERSION)"'

FLAGS_release := -D_FORTIFY_SOURCE=2 -fstack-clash-protection
FLAGS_crash := -DMAILHAUL_CRASH_POINTS
FLAGS_san := -fsanitize=address,undefined -fno-sanitize-recover=all -O1
FLAGS_tsan := -fsanitize=thread -O1
FLAGS_fuzz := -fsanitize=fuzzer-no-link,address,undefined -O1
ifneq ($(filter clang fuzz,$(FLAVOUR)),)
CC := clang
endif
ifeq ($(shell uname -m),x86_64)
FLAGS_release += -fcf-protection
endif

ALL_CFLAGS = -std=c11 -pthread $(DEFINES) -Ilib -I. $(CFLAGS) $(WARNINGS) \
	$(HARDENING) $(FLAGS_$(FLAVOUR)) \
	$(shell $(PKG_CONFIG) --cflags $(PACKAGES))
ALL_LDFLAGS = -pthread $(LDHARDENING) $(filter -fsanitize=address$(comma)% -fsanitize=thread,$(FLAGS_$(FLAVOUR))) $(LDFLAGS)
comma := ,
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lldap -llber
MILTER_LIBS := -lmilter

sources = $(sort $(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(B)/%.o,$(1))
LIB_OBJECTS := $(call objects,$(call sources,lib/*))
FETCHER_OBJECTS := $(call objects,$(call sources,fetcher))
MILTER_OBJECTS := $(call objects,$(call sources,milter))
ADMIN_OBJECTS := $(call objects,$(call sources,admin))
TESTS := $(patsubst %.c,$(B)/%,$(call sources,tests/unit))
FUZZERS := $(patsubst %.c,$(B)/%,$(call sources,tests/fuzz))
FUZZERS := $(filter-out %/replay,$(FUZZERS))
BENCHES := $(patsubst %.c,$(B)/%,$(call sources,tests/bench))
PROGRAMS := $(if $(wildcard fetcher/main.c),$(B)/mailhaul-fetcher) \
	$(if $(wildcard milter/main.c),$(B)/mailhaul-milter) \
	$(if $(wildcard admin/main.c),$(B)/mailhaul)
Q := $(if $(V),,@)

all: $(PROGRAMS) ## build the three programs

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libmailhaul.a: $(LIB_OBJECTS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
# The programs' modules without their main(), for unit tests.
$(B)/libprograms.a: $(filter-out %/main.o,$(FETCHER_OBJECTS) \
		$(MILTER_OBJECTS) $(ADMIN_OBJECTS))
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

define link
	@mkdir -p $(@D)
	$(if $(V),,@echo "  LD $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LIBS) $(1)
endef
$(B)/mailhaul-fetcher: $(FETCHER_OBJECTS) $(B)/libmailhaul.a
	$(call link)
$(B)/mailhaul-milter: $(MILTER_OBJECTS) $(B)/libmailhaul.a
	$(call link,$(MILTER_LIBS))
$(B)/mailhaul: $(ADMIN_OBJECTS) $(B)/libmailhaul.a
	$(call link)
$(TESTS) $(BENCHES): $(B)/%: $(B)/%.o $(B)/libprograms.a $(B)/libmailhaul.a
	$(call link,-lcmocka $(MILTER_LIBS))
ifeq ($(FLAVOUR),fuzz)
$(FUZZERS): ALL_LDFLAGS += -fsanitize=fuzzer,address,undefined
$(FUZZERS): $(B)/%: $(B)/%.o $(B)/libprograms.a $(B)/libmailhaul.a
	$(call link,$(MILTER_LIBS))
else
$(FUZZERS): $(B)/%: $(B)/%.o $(B)/tests/fuzz/replay.o $(B)/libprograms.a $(B)/libmailhaul.a
	$(call link,$(MILTER_LIBS))
endif

tests: $(TESTS) $(BENCHES) ## build the unit tests, and what tests/bench measures with
fuzzers: $(FUZZERS) ## build the fuzz targets (FLAVOUR=fuzz) or their replayers

check: $(TESTS) $(BENCHES) $(FUZZERS) ## run unit tests and replay the fuzz seeds
	$(Q)tests/support/run-units $(B)

docs: $(B)/mailhaul ## write the files that are made from the table of settings
	$(Q)$(B)/mailhaul schema sample >conf/mailhaul.full.yaml
	$(Q)$(B)/mailhaul schema json >conf/mailhaul.schema.json
	$(Q)$(B)/mailhaul schema man >man/mailhaul.yaml.5

lint: ## formatting, clang-tidy, cppcheck, layers, banned functions, lengths
	$(Q)tests/support/lint --self-test && tests/support/lint

format: ## let clang-format rewrite the sources
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

# Only files; who makes users and folders of them: README.md.
DOCUMENTS := README.md ARCHITECTURE.md CHANGES.md SECURITY.md LICENSE
UNITS := $(wildcard contrib/systemd/*.service)
install: all ## copy programs, man pages, units and samples (DESTDIR, PREFIX)
	install -d $(addprefix $(DESTDIR),$(SBINDIR) $(BINDIR) $(MANDIR)/man5 \
		$(MANDIR)/man8 $(DOCDIR) \
		$(DOCDIR)/examples $(UNITDIR) $(SYSUSERSDIR) $(TMPFILESDIR))
	install -m 755 $(B)/mailhaul-fetcher $(B)/mailhaul-milter $(DESTDIR)$(SBINDIR)
	install -m 755 $(B)/mailhaul $(DESTDIR)$(BINDIR)
	install -m 644 $(wildcard man/*.5) $(DESTDIR)$(MANDIR)/man5
	install -m 644 $(wildcard man/*.8) $(DESTDIR)$(MANDIR)/man8
	install -m 644 $(DOCUMENTS) $(wildcard conf/*.*) $(DESTDIR)$(DOCDIR)
	for kind in postfix rspamd spamassassin; do \
		install -d $(DESTDIR)$(DOCDIR)/$$kind && \
		install -m 644 conf/$$kind/* $(DESTDIR)$(DOCDIR)/$$kind || exit 1; done
	install -m 755 contrib/oauth-token $(DESTDIR)$(DOCDIR)/examples
	install -m 644 $(UNITS) $(DESTDIR)$(UNITDIR)
	sed -i 's|/usr/sbin/mailhaul|$(SBINDIR)/mailhaul|; s|/usr/bin/mailhaul|$(BINDIR)/mailhaul|' \
		$(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNITS)))
	install -m 644 contrib/systemd/sysusers.conf $(DESTDIR)$(SYSUSERSDIR)/mailhaul.conf
	install -m 644 contrib/systemd/tmpfiles.conf $(DESTDIR)$(TMPFILESDIR)/mailhaul.conf

# dpkg-buildpackage wants its folder in the source; it gets a copy.
DEB := build/deb/mailhaul-$(VERSION)
deb: ## build a Debian package in build/deb
	$(Q)rm -rf build/deb && mkdir -p $(DEB)
	$(Q)tar -c --exclude=./build --exclude=./.git . | tar -x -C $(DEB)
	$(Q)cp -r contrib/debian $(DEB)/debian
	$(Q)cd $(DEB) && dpkg-buildpackage -us -uc -b

clean: ## remove build/
	rm -rf build

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: all install deb tests fuzzers check docs lint format clean help
.SECONDARY:
-include $(shell find build/$(FLAVOUR) -name '*.d' 2>/dev/null)
