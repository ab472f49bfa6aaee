# SPDX-License-Identifier: Apache-2.0
# tallyd.  One non-recursive Makefile; everything made goes under $(B), the source tree stays clean.
#
#   make                    build/release: daemon, signer and tools
#   make CFG=debug          other flavours, side by side: release debug san tsan cov fuzz
#   make check [T=word]     unit, corpus and integration tests; T: only those whose path has the word
#   make sim [SEEDS=n FROM=n | SEED=n]  the simulator on many seeds (100000); SEED: one run, all that happens in it
#   make mutants [F=a,b]    plants a fault at a time where votes are counted: a test must notice (FULL=1: all tests for each)
#   make check-all          check, again under ASan and UBSan, threads under TSan, lint, mutants, a little fuzzing
#   make lint               format, tidy, layers, purity, names, headers, scripts
#   make fmt                puts the sources into shape
#   make demo [KEEP=1]      a whole election on this machine; KEEP=1: it stays up to be looked at
#   make bench [F=a,b]      measured numbers, a JSON line each
#   make fuzz T=x           libFuzzer on tests/fuzz/fuzz_x.c for SECONDS=60
#   make install            honours PREFIX, SYSCONFDIR, DESTDIR
#   make deb                a package, by the same install rule
#   make clean              removes build/
#
# check, check-all, sim, mutants, lint, demo and bench first install the Debian packages that are missing.

MAKEFLAGS += -rR --no-print-directory
SHELL     := /bin/sh
.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all check check-all sim mutants lint lint-quick fmt fuzz bench demo install deb clean help FORCE
all:

# ---- first the packages: nothing below makes sense before gcc and pkg-config are there -----------
FIRST := $(if $(TLY_READY),,$(filter check check-all sim mutants lint demo bench,$(MAKECMDGOALS)))
ifneq ($(FIRST),)
.NOTPARALLEL:
.PHONY: packages $(MAKECMDGOALS)
packages:
	@tools/bootstrap.sh $(if $(filter check-all lint,$(FIRST)),--all)
$(MAKECMDGOALS): packages
	@$(MAKE) $(if $(findstring -j,$(MAKEFLAGS)),,-j$$(nproc)) $(if $(filter lint,$@),-k) TLY_READY=1 $@
else

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
FLAVOURS   := release debug san tsan cov fuzz
ifeq ($(filter $(CFG),$(FLAVOURS)),)
$(error CFG=$(CFG) is none of: $(FLAVOURS))
endif
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0)

# ---- what the code needs, whatever the person sets -------------------------------------------
PKGS      := libmicrohttpd gnutls jansson libpq libsodium libcrypto libssl libsystemd zlib
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell $(PKG_CONFIG) --exists $(PKGS) 2>/dev/null && echo yes),yes)
$(error libraries are missing: tools/bootstrap.sh says which and installs them ($(PKG_CONFIG) does not find all of: $(PKGS)))
endif
endif
WARN      := -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
             -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings -Wundef -Wvla -Wformat=2 \
             -Wswitch-enum -Wimplicit-fallthrough -Wno-missing-field-initializers -Wno-format-zero-length
GCCWARN   := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
HARDEN    := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE \
             -fno-common -fno-strict-overflow -fno-delete-null-pointer-checks
LDHARDEN  := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodlopen -Wl,--as-needed

SAN         := -fsanitize=address,undefined -fno-sanitize-recover=all
OPT.release := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
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
OPT.release += -ftrivial-auto-var-init=zero
# Release hides a forgotten initialiser; these two bring it to light.
OPT.debug   += -ftrivial-auto-var-init=pattern
OPT.san     += -ftrivial-auto-var-init=pattern
endif

OUR_CFLAGS  := -std=gnu17 -D_GNU_SOURCE -Iinclude -I$(B)/gen $(OPT.$(CFG)) $(WARN) $(HARDEN) \
               $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
OUR_LDFLAGS := $(LDOPT.$(CFG)) $(LDHARDEN)
OUR_LIBS    := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

ifeq ($(V),1)
say =
else
say = @printf '  %-5s %s\n' $(1) '$(@:$(B)/%=%)';
endif
compile = $(call say,CC)$(CC) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
link    = $(call say,LD)$(CC) $(OUR_LDFLAGS) $(LDFLAGS) -o $@ $(1) $(OUR_LIBS)

# ---- layers, lowest first: each is an archive; a test links only its layer and those below -----
LAYERS   := base core sys pack store publish net follow submit api
upto      = $(if $(1),$(if $(filter $(2),$(firstword $(1))),$(2),$(call upto,$(wordlist 2,99,$(1)),$(2)) $(firstword $(1))))
archives  = $(patsubst %,$(B)/lib%.a,$(call upto,$(LAYERS),$(1)))
srcs      = $(sort $(wildcard $(1)/*.c $(1)/*/*.c))
objs      = $(patsubst %.c,$(B)/%.o,$(call srcs,$(1)))

GEN  := $(B)/gen/store_stmt.h $(B)/gen/store_stmt.c $(B)/gen/store_script.c
GENO := $(patsubst %.c,%.o,$(filter %.c,$(GEN)))

define LAYER
$(B)/lib$(1).a: $(call objs,src/$(1)) $(if $(filter store,$(1)),$(GENO)) $(B)/files
	$$(call say,AR)rm -f $$@ && ar rcs $$@ $$(filter %.o,$$^)
$(B)/tests/unit/$(1)/%: $(B)/tests/unit/$(1)/%.o $(call archives,$(1))
	$$(call link,$$^)
endef
$(foreach l,$(LAYERS),$(eval $(call LAYER,$(l))))

# ---- programs: a folder each, on top of the archives; their tests link all of it but main.o ---------
TOP.tallyd   := daemon
TOP.tallyctl := ctl
TOP.tallysim := sim
TOP.tally-witness := witness
TOP.tally-courier := courier
TOP.tally-signer := signer
TOP.tally-verify := verify
ON.tallyd    := api
ON.tallyctl  := submit
ON.tallysim  := submit
ON.tally-witness := follow
ON.tally-courier := follow
ON.tally-signer := pack
ON.tally-verify := pack
PROGRAMS := $(foreach p,tallyd tallyctl tallysim tally-signer tally-witness tally-courier tally-verify,$(if $(wildcard src/$(TOP.$(p))/main.c),$(p)))
# Those with settings, a sample of which stands in conf/.
SAMPLED  := $(filter-out tallyctl tallysim tally-verify,$(PROGRAMS))
define PROGRAM
$(B)/$(1): $(call objs,src/$(TOP.$(1))) $(call archives,$(ON.$(1))) $(B)/files
	$$(call link,$$(filter-out $(B)/files,$$^))
$(B)/tests/unit/$(TOP.$(1))/%: $(B)/tests/unit/$(TOP.$(1))/%.o $(filter-out %/main.o,$(call objs,src/$(TOP.$(1)))) $(call archives,$(ON.$(1)))
	$$(call link,$$^)
endef
$(foreach p,$(PROGRAMS),$(eval $(call PROGRAM,$(p))))
all: $(PROGRAMS:%=$(B)/%)

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
	$(call stamp,$(sort $(wildcard src/*/*.c src/*/*/*.c sql/queries/*.sql sql/migrations/*.sql)))
SQL := $(sort $(wildcard sql/queries/*.sql))
$(B)/gen/store_stmt.h $(B)/gen/store_stmt.c: $(B)/gen/store_stmt.%: $(SQL) tools/sqlgen.awk $(B)/files
	@mkdir -p $(@D)
	$(call say,SQL)LC_ALL=C awk -v out=$* -f tools/sqlgen.awk $(SQL) >$@
SCRIPTS := sql/schema.sql $(sort $(wildcard sql/migrations/*.sql)) sql/roles.sql
$(B)/gen/store_script.c: $(SCRIPTS) tools/sqlgen.awk $(B)/files
	@mkdir -p $(@D)
	$(call say,SQL)LC_ALL=C awk -v out=script -f tools/sqlgen.awk $(SCRIPTS) >$@

# ---- tests: TSan sees those of net, and those that say so in their first comment -------------------
only     = $(if $(T),$(foreach f,$(1),$(if $(findstring $(T),$(f)),$(f))),$(1))
CHECKED := $(call only,$(sort $(wildcard tests/unit/*/test_*.c tests/integration/test_*.sh)))
TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(call only,$(sort $(wildcard tests/fuzz/fuzz_*.c))))
ifeq ($(CFG),tsan)
CHECKED := $(filter tests/unit/net/%,$(CHECKED)) $(if $(CHECKED),$(shell grep -l 'under TSan' $(filter-out tests/unit/net/%,$(CHECKED)) /dev/null))
TARGETS :=
endif
UNIT   := $(patsubst %.c,$(B)/%,$(filter %.c,$(CHECKED)))
REPLAY := $(patsubst %,$(B)/tests/fuzz/replay_%,$(TARGETS))
$(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(call archives,net)
	$(call link,$^)
ORACLE := $(if $(findstring /test_oracle,$(CHECKED)),$(B)/tests/oracle/outcome_lines)
$(B)/tests/oracle/%: $(B)/tests/oracle/%.o $(call archives,core)
	$(call link,$^)
# The simulator: the daemon's and the signer's own objects; the linker puts the world of tests/sim in the
# place of calls that leave them, and what else of the daemon they call is there by its own name.
SIM       := $(B)/tests/sim/sim
SIMO      := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/sim/*.c)))
SIMULATED := $(patsubst %,$(B)/src/daemon/%.o,start stop rebuild redo sequencer signing) \
             $(patsubst %,$(B)/src/signer/%.o,slots answer)
SIMWRAP   := open __open_2 close mkdir stat fstat unlink fcntl pread __pread_chk pwrite posix_fallocate fsync fdatasync \
             socket connect send recv __recv_chk poll __poll_chk pthread_create pthread_join sysconf queue_take queue_drained \
             log_event bundle_read decision_read crypto_sign_detached crypto_sign_verify_detached \
             $(addprefix store_,open close claim idle_check election take_over commit recover read heads)
$(B)/tests/sim/%.o: private OUR_CFLAGS += -Isrc
$(SIM): $(SIMO) $(SIMULATED) $(call archives,store)
	$(call link,$(SIMWRAP:%=-Wl,--wrap=%) $^)
# A slice of its seeds in every check; in check-all, and for people, `make sim`.
SIM_SEEDS ?= 2000
SLICE     := $(if $(filter tsan,$(CFG)),,$(if $(call only,tests/sim/sim.c),$(SIM)))
FROM      ?= 1
SEEDS     ?= 100000
sim: $(SIM)
ifneq ($(SEED),)
	@$(SIM) --seed $(SEED)
else
	@part=$$((($(SEEDS) + 19) / 20)); set --; \
	for i in $$(seq 0 19); do set -- "$$@" "$(SIM) --seeds $$(($(FROM) + i * part)) $$part"; done; \
	B=$(B) tests/run "$$@"
endif
check: $(if $(T),$(if $(filter %.sh,$(CHECKED)),all),all) $(UNIT) $(REPLAY) $(ORACLE) $(SLICE)
	@B=$(B) tests/run $(if $(SLICE),'$(SIM) --seeds 1 $(SIM_SEEDS)') $(UNIT) $(foreach t,$(TARGETS),'$(B)/tests/fuzz/replay_$(t) tests/fuzz/corpus/$(t)') $(filter %.sh,$(CHECKED))
comma := ,
# Needs what `make check` builds, so that a fault costs one file's compilation.
mutants: all $(UNIT) $(REPLAY) $(ORACLE) $(SIM)
	@B=$(B) CFG=$(CFG) MAKE='$(firstword $(MAKE))' /usr/bin/python3 -B tests/mutation/mutants.py $(if $(FULL),--full) $(subst $(comma), ,$(F))
check-all:
	@MAKE='$(MAKE)' tools/check-all.sh $(TARGETS)
$(B)/tests/bench/%: $(B)/tests/bench/%.o $(call archives,core)
	$(call link,$^)
bench: $(B)/tests/bench/verify $(B)/tests/bench/seats $(B)/tests/unit/core/test_tally
demo bench: all
	@B=$(B) KEEP='$(KEEP)' F='$(F)' tests/$@/$@.sh

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(call archives,net)
	$(call link,-fsanitize=fuzzer $^)
# What it finds anew goes to the build folder; the corpus in the tree is chosen by hand.
fuzz:
	@test -n '$(T)' || { echo 'make fuzz T=name; there are: $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))'; exit 2; }
	@$(MAKE) CFG=fuzz build/fuzz/tests/fuzz/fuzz_$(T)
	@mkdir -p build/fuzz/corpus/$(T)
	build/fuzz/tests/fuzz/fuzz_$(T) -max_total_time=$(or $(SECONDS),60) -timeout=5 -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/$(T) tests/fuzz/corpus/$(T)

# ---- lint: each script tried with a planted offender by tests/integration/test_lint.sh ---------------
HDRS   := $(sort $(wildcard include/*/*.h))
CSRC   := $(call srcs,src/*) $(sort $(wildcard src/*/*.h src/*/*/*.h)) $(HDRS)
TESTC  := $(sort $(wildcard tests/*/*.[ch] tests/*/*/*.[ch]))
OBJS   := $(patsubst %.c,$(B)/%.o,$(call srcs,src/*))
LINTED := $(HDRS:%=$(B)/lint/%.ok) $(patsubst %.c,$(B)/lint/%.c.ok,$(call srcs,src/*))
lint: lint-quick $(LINTED)
	@echo lint clean
lint-quick: all $(OBJS) $(call archives,core)
	@bad=0; \
	awk -f tools/lint/layers.awk $(CSRC) || bad=1; \
	tools/lint/purity.sh $(B)/libcore.a $(B)/libbase.a || bad=1; \
	tools/lint/floats.sh $(filter src/core/% include/core/%,$(CSRC)) || bad=1; \
	tools/lint/symbols.sh $(OBJS) || bad=1; \
	tools/lint/banned.sh $(OBJS) || bad=1; \
	tools/lint/texts.sh . || bad=1; \
	printf '%s\n' $(CSRC) $(TESTC) | xargs -n 24 -P $$(nproc) clang-format --dry-run -Werror || bad=1; \
	for p in $(SAMPLED); do $(B)/$$p --sample-config | diff -u conf/$$p.conf - || { echo "conf/$$p.conf is not what $$p --sample-config prints: make fmt"; bad=1; }; done; \
	exit $$bad
# A header compiles alone; a source is tidy.  Once done they are not done again until a text changes.
$(B)/lint/%.h.ok: %.h $(B)/flags
	@mkdir -p $(@D)
	@$(CC) $(OUR_CFLAGS) $(CPPFLAGS) -MM -MP -MT $@ -MF $(@:.ok=.d) -x c $<
	@printf '#include "%s"\n' $(<:include/%=%) | $(CC) $(OUR_CFLAGS) $(CPPFLAGS) -fsyntax-only -x c -
	@touch $@
$(B)/lint/%.c.ok: %.c $(B)/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY)clang-tidy --quiet $< -- $(filter-out -ftrivial% -fstack-clash% $(GCCWARN) -Werror,$(OUR_CFLAGS)) -DTLY_VERSION='"0"' $(CPPFLAGS) 2>$@.err || { cat $@.err; exit 1; }
	@rm -f $@.err; touch $@
fmt: $(SAMPLED:%=$(B)/%)
	clang-format -i $(CSRC) $(TESTC)
	for p in $(SAMPLED); do $(B)/$$p --sample-config >conf/$$p.conf; done

# ---- the verifier in JavaScript: one file for Node, one page for a browser ---------------------------
JSRC := $(sort $(wildcard src/verify-js/* src/verify-js/methods/*.mjs))
NODE := $(shell command -v node 2>/dev/null)
JS   := $(if $(NODE),$(B)/tally-verify.mjs $(B)/tally-verify.html)
$(B)/tally-verify.mjs: $(JSRC)
	@mkdir -p $(@D)
	$(call say,JS)$(NODE) src/verify-js/build.mjs $(@D)
$(B)/tally-verify.html: $(B)/tally-verify.mjs ;
all: $(JS)

# ---- installing -------------------------------------------------------------------------------------
DIR.bin  := $(DESTDIR)$(PREFIX)/bin
DIR.sql  := $(DESTDIR)$(PREFIX)/share/tallyd/sql
DIR.doc  := $(DESTDIR)$(PREFIX)/share/doc/tallyd
DIR.etc  := $(DESTDIR)$(SYSCONFDIR)/tallyd
DIR.unit := $(DESTDIR)$(UNITDIR)
install: all
	install -d $(DIR.bin) $(DIR.sql) $(DIR.doc) $(DIR.etc) $(DIR.unit)
	install -m 0755 $(PROGRAMS:%=$(B)/%) $(DIR.bin)/
	install -m 0644 $(sort $(wildcard sql/migrations/*.sql sql/*.sql)) $(DIR.sql)/
	install -m 0644 README.md CHANGELOG.md SECURITY.md COPYING $(sort $(wildcard doc/*.md)) $(DIR.doc)/
	$(if $(JS),install -m 0755 $(B)/tally-verify.mjs $(DIR.bin)/)
	$(if $(JS),install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/tallyd $(B)/tally-verify.html)
	for p in $(SAMPLED); do install -m 0644 conf/$$p.conf $(DIR.etc)/$$p.conf.sample; done
	for f in $(sort $(wildcard systemd/*.service systemd/*.socket)); do \
	    sed 's|/usr/local/|$(PREFIX)/|g' $$f >$(DIR.unit)/$$(basename $$f); done
	for f in $(sort $(wildcard systemd/*.sysusers)); do install -D -m 0644 $$f $(DESTDIR)$(PREFIX)/lib/sysusers.d/$$(basename $$f .sysusers).conf; done
	for f in $(sort $(wildcard systemd/*.tmpfiles)); do install -D -m 0644 $$f $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/$$(basename $$f .tmpfiles).conf; done
DEPENDS := libc6, libpq5, libmicrohttpd12, libgnutls30, libjansson4, libsodium23, libssl3, libsystemd0, zlib1g, systemd
deb: all
	rm -rf $(B)/deb
	$(MAKE) install PREFIX=/usr SYSCONFDIR=/etc DESTDIR=$(B)/deb UNITDIR=/lib/systemd/system
	mkdir -p $(B)/deb/DEBIAN
	printf 'Package: tallyd\nVersion: 0~%s\nArchitecture: %s\nMaintainer: tallyd maintainers <tallyd@localhost>\nSuggests: postgresql-15\nDepends: %s\nDescription: central tally server for elections\n' \
	    '$(VERSION)' "$$(dpkg --print-architecture)" '$(DEPENDS)' >$(B)/deb/DEBIAN/control
	printf '#!/bin/sh\nset -e\n[ "$$1" != configure ] || systemd-sysusers tallyd.conf\n' >$(B)/deb/DEBIAN/postinst
	chmod 0755 $(B)/deb/DEBIAN/postinst
	dpkg-deb --root-owner-group --build $(B)/deb $(B)/tallyd.deb
clean:
	rm -rf build
help:
	@sed -n '/^#   make/s/^#   //p' Makefile

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
endif
