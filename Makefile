# tallyd.  One non-recursive Makefile; everything made goes under $(B), the source tree stays clean.
#
#   make                 build/release: daemon and tools     make check      unit, corpus and integration tests
#   make CFG=debug|san   other flavours, side by side        make lint       format, tidy, layers, names, headers
#   make demo            a whole election on this machine    make bench      measured numbers, a JSON line each
#   make install         PREFIX, SYSCONFDIR, DESTDIR         make deb        a package, from the same install rule
#   make fuzz T=record   libFuzzer, needs clang              make check-all  check, check under sanitizers, lint, fuzz

MAKEFLAGS += -rR --no-print-directory
SHELL     := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all check check-unit check-it check-all lint fmt fuzz bench demo install deb clean FORCE
all:

# ---- what the person building may set --------------------------------------------------------
CFG        ?= release
B          ?= build/$(CFG)
CC          = gcc
CFLAGS     ?= -g
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
UNITDIR    ?= $(PREFIX)/lib/systemd/system
DESTDIR    ?=
PKG_CONFIG ?= pkg-config
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0)

# ---- what the code needs, whatever the person sets -------------------------------------------
PKGS      := libmicrohttpd gnutls jansson libpq libsodium libcrypto libssl libsystemd
WARN      := -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
             -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings -Wundef -Wvla -Wformat=2 \
             -Wswitch-enum -Wimplicit-fallthrough -Wno-missing-field-initializers -Wno-format-zero-length
GCCWARN   := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
HARDEN    := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE \
             -fno-common -fno-strict-overflow -fno-delete-null-pointer-checks
LDHARDEN  := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodlopen -Wl,--as-needed

SAN         := -fsanitize=address,undefined -fno-sanitize-recover=all
OPT.release := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ftrivial-auto-var-init=zero
OPT.debug   := -Og
OPT.san     := -O1 -fno-omit-frame-pointer $(SAN)
OPT.tsan    := -O1 -fno-omit-frame-pointer -fsanitize=thread
OPT.cov     := -O0 --coverage
OPT.fuzz    := -O1 -fno-omit-frame-pointer $(SAN) -fsanitize=fuzzer-no-link
LDOPT.san   := $(SAN)
LDOPT.tsan  := -fsanitize=thread
LDOPT.cov   := --coverage
LDOPT.fuzz  := $(SAN)
ifeq ($(CFG),fuzz)
CC = clang
endif
ifneq ($(findstring gcc,$(CC)),)
WARN += $(GCCWARN)
endif

OUR_CFLAGS  := -std=gnu17 -D_GNU_SOURCE -Iinclude -I$(B)/gen $(OPT.$(CFG)) $(WARN) $(HARDEN) \
               $(shell $(PKG_CONFIG) --cflags $(PKGS))
OUR_LDFLAGS := $(LDOPT.$(CFG)) $(LDHARDEN)
OUR_LIBS    := $(shell $(PKG_CONFIG) --libs $(PKGS))

ifeq ($(V),1)
say =
else
say = @printf '  %-5s %s\n' $(1) '$(@:$(B)/%=%)';
endif
compile = $(call say,CC)$(CC) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
link    = $(call say,LD)$(CC) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $(1) $(OUR_LIBS)

# ---- layers, lowest first: each is an archive; a test links only its layer and those below -----
LAYERS   := base core sys pack store net submit api
upto      = $(if $(1),$(if $(filter $(2),$(firstword $(1))),$(2),$(call upto,$(wordlist 2,99,$(1)),$(2)) $(firstword $(1))))
archives  = $(patsubst %,$(B)/lib%.a,$(call upto,$(LAYERS),$(1)))
srcs      = $(sort $(wildcard $(1)/*.c $(1)/*/*.c))
objs      = $(patsubst %.c,$(B)/%.o,$(call srcs,$(1)))

GEN := $(B)/gen/store_stmt.h $(B)/gen/store_stmt.c

define LAYER
$(B)/lib$(1).a: $(call objs,src/$(1)) $(if $(filter store,$(1)),$(B)/gen/store_stmt.o) $(B)/files
	$$(call say,AR)rm -f $$@ && ar rcs $$@ $$(filter %.o,$$^)
$(B)/tests/unit/$(1)/%: $(B)/tests/unit/$(1)/%.o $(call archives,$(1))
	$$(call link,$$^)
endef
$(foreach l,$(LAYERS),$(eval $(call LAYER,$(l))))

# ---- programs: a folder each, on top of the archives ----------------------------------------------
PROGRAMS := $(if $(wildcard src/daemon/*.c),tallyd) $(if $(wildcard src/ctl/*.c),tallyctl) $(if $(wildcard src/sim/*.c),tallysim)
all: $(PROGRAMS:%=$(B)/%)
$(B)/tallyd: $(call objs,src/daemon) $(call archives,api)
	$(call link,$^)
$(B)/tallyctl: $(call objs,src/ctl) $(call archives,submit)
	$(call link,$^)
$(B)/tallysim: $(call objs,src/sim) $(call archives,submit)
	$(call link,$^)

# ---- compiling: rebuilt when the source, a header, or the command itself changed ---------------
$(B)/%.o: %.c $(B)/flags | $(GEN)
	@mkdir -p $(@D)
	$(compile)
$(B)/gen/%.o: $(B)/gen/%.c $(B)/flags
	$(compile)
$(B)/tests/%.o: private OUR_CFLAGS += -Itests/harness
$(B)/src/sys/version.o: private OUR_CFLAGS += -DTLY_VERSION='"$(VERSION)"'
$(B)/src/sys/version.o: $(B)/version
# Stamps, rewritten only when their text changes: the commands; the version; the list of files (a
# deleted source would otherwise live on in an archive, a deleted query in the generated table).
stamp = @mkdir -p $(B); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' >$@
$(B)/flags: FORCE
	$(call stamp,$(CC) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS))
$(B)/version: FORCE
	$(call stamp,$(VERSION))
$(B)/files: FORCE
	$(call stamp,$(sort $(wildcard src/*/*.c src/*/*/*.c sql/queries/*.sql)))
SQL := $(sort $(wildcard sql/queries/*.sql))
$(GEN): $(B)/gen/store_stmt.%: $(SQL) tools/sqlgen.awk $(B)/files
	@mkdir -p $(@D)
	$(call say,SQL)LC_ALL=C awk -v out=$* -f tools/sqlgen.awk $(SQL) >$@

# ---- tests --------------------------------------------------------------------------------------
UNIT   := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*/test_*.c)))
TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
REPLAY := $(patsubst %,$(B)/tests/fuzz/replay_%,$(TARGETS))
$(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(call archives,core)
	$(call link,$^)
check: check-unit check-it
check-unit: $(UNIT) $(REPLAY)
	@tests/run $(UNIT)
	@for t in $(TARGETS); do $(B)/tests/fuzz/replay_$$t tests/fuzz/corpus/$$t/* >/dev/null && echo "pass corpus $$t"; done
check-it: all
	@B=$(B) tests/run $(sort $(wildcard tests/integration/test_*.sh))
check-all:
	@$(MAKE) check && $(MAKE) CFG=san check && $(MAKE) lint
	@for t in $(TARGETS); do $(MAKE) fuzz T=$$t SECONDS=$(or $(SECONDS),20) 2>&1 | tail -1; done
demo bench: all
	@B=$(B) tests/$@/$@.sh

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(call archives,core)
	$(call link,-fsanitize=fuzzer $^)
fuzz:
	@$(MAKE) CFG=fuzz build/fuzz/tests/fuzz/fuzz_$(T)
	build/fuzz/tests/fuzz/fuzz_$(T) -max_total_time=$(or $(SECONDS),60) -timeout=5 tests/fuzz/corpus/$(T)

# ---- lint ---------------------------------------------------------------------------------------
HDRS := $(wildcard include/*/*.h)
CSRC := $(wildcard src/*/*.[ch] src/*/*/*.[ch]) $(HDRS)
lint: $(B)/tallyd $(call archives,api)
	@awk -f tools/lint/layers.awk $(CSRC)
	@tools/lint/purity.sh $(B)/libcore.a $(B)/libbase.a
	@! grep -nwE 'float|double' $(filter src/core/% include/core/%,$(CSRC))
	@tools/lint/symbols.sh $(foreach l,$(LAYERS),$(call objs,src/$(l)))
	@tools/lint/banned.sh $(foreach l,$(LAYERS) daemon,$(call objs,src/$(l)))
	@for h in $(HDRS:include/%=%); do printf '#include "%s"\n' $$h | $(CC) $(OUR_CFLAGS) $(CPPFLAGS) -fsyntax-only -x c - || exit 1; done
	@clang-format --dry-run -Werror $(CSRC) $(wildcard tests/*/*.[ch] tests/*/*/*.c)
	@clang-tidy --quiet $(filter %.c,$(CSRC)) -- $(filter-out -ftrivial% -fstack-clash% $(GCCWARN) -Werror,$(OUR_CFLAGS)) $(CPPFLAGS) 2>/dev/null
	@echo lint clean
fmt:
	clang-format -i $(CSRC) $(wildcard tests/*/*.[ch] tests/*/*/*.c)

# ---- installing ---------------------------------------------------------------------------------
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SYSCONFDIR)/tallyd $(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/share/tallyd/sql
	install -m 0755 $(B)/tallyd $(DESTDIR)$(PREFIX)/bin/
	install -m 0640 conf/tallyd.conf $(DESTDIR)$(SYSCONFDIR)/tallyd/tallyd.conf.sample
	install -m 0644 systemd/*.service $(DESTDIR)$(UNITDIR)/
	install -m 0644 sql/migrations/*.sql $(DESTDIR)$(PREFIX)/share/tallyd/sql/
deb:
	rm -rf $(B)/deb && $(MAKE) install PREFIX=/usr DESTDIR=$(B)/deb
	mkdir -p $(B)/deb/DEBIAN
	printf 'Package: tallyd\nVersion: 0~%s\nArchitecture: %s\nMaintainer: tallyd maintainers\nDepends: %s\nDescription: central tally server\n' \
	    '$(VERSION)' "$$(dpkg --print-architecture)" 'libc6, libpq5, libmicrohttpd12, libjansson4, libsodium23' >$(B)/deb/DEBIAN/control
	dpkg-deb --root-owner-group --build $(B)/deb $(B)/tallyd.deb
clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
