# SPDX-License-Identifier: BSD-2-Clause
# One makefile, not recursive; writes only below build/. `make help` lists the targets.

FLAVOUR	?= release
B	:= build/$(FLAVOUR)
KERN	:= build/kern
CLANG	?= clang
BPFTOOL	?= /usr/sbin/bpftool
PREFIX	?= /usr/local
DESTDIR	?=
Q	:= $(if $(V),,@)
ARCH_INC := $(shell $(CC) -print-multiarch 2>/dev/null)

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help deps all kern test test-unit test-sim test-prog test-oracle test-api test-netns test-vm fuzz-packets lint fmt bench demo install clean

VERSION	:= 0.1.0
PKGS	:= libuv libmicrohttpd libcurl libcjson libmnl libbpf
WARN	:= -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	   -Wformat=2 -Werror=format-security -fno-common
HARDEN	:= -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE
LDHARD	:= -pie -Wl,-z,relro,-z,now,-z,noexecstack
OPT	:= -O2 -g -D_FORTIFY_SOURCE=2
ifeq ($(FLAVOUR),asan)
OPT	:= -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDHARD	:= -pie -fsanitize=address,undefined
endif
CFLAGS	:= -std=gnu11 $(OPT) $(WARN) $(HARDEN) -fno-strict-aliasing -D_GNU_SOURCE -DSL_VERSION='"$(VERSION)"' \
	   -MMD -MP -I. -Iinclude -I$(KERN) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS	:= $(shell pkg-config --libs $(PKGS) 2>/dev/null)

# ---- the BPF programs -------------------------------------------------------
# frames are read and written as words of several sizes
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -fno-strict-aliasing -Wall -Wextra -Werror -Wno-unused-parameter -MMD -MP \
	   -I. -Iinclude -I/usr/include/$(ARCH_INC)
SKEL	:= $(KERN)/sluice.skel.h $(KERN)/xmit.skel.h $(KERN)/decap.skel.h

$(KERN)/%.bpf.o: lb_kern/%.bpf.c Makefile
	@mkdir -p $(@D)
	@echo "  BPF     $@"
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(KERN)/%.skel.h: $(KERN)/%.bpf.o
	@echo "  SKEL    $@"
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# ---- user space -------------------------------------------------------------
BASE_SRC := $(sort $(wildcard lb_user/base/*.c lb_user/domain/*.c))
DP_SRC	:= $(sort $(wildcard lb_user/dp/*.c))
AGENT_SRC := $(sort $(wildcard lb_user/svc/*.c api/*.c))
CTL_SRC	:= $(sort $(wildcard lb_user/ctl/*.c)) lb_user/dp/decap.c lb_user/dp/decap_prog.c
obj	= $(patsubst %.c,$(B)/%.o,$(1))

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

$(call obj,$(DP_SRC)): | $(SKEL)

$(B)/sluiced: $(call obj,lb_user/sluiced.c $(AGENT_SRC) $(DP_SRC) $(BASE_SRC))
$(B)/sluicectl: $(call obj,$(CTL_SRC) $(BASE_SRC))
$(B)/sluiced $(B)/sluicectl:
	@echo "  LD      $@"
	$(Q)$(CC) $(OPT) $(LDHARD) $^ $(LIBS) -lm -o $@

# ---- tests and benches: one program per tests/<tier>/<name>.c ---------------
UNIT	:= $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
PROGT	:= $(patsubst tests/prog/%.c,$(B)/tests/prog/%,$(sort $(wildcard tests/prog/test_*.c)))
TOOLS	:= $(B)/tests/netns/rig
FUZZP	:= $(B)/tests/oracle/fuzz_packets
SIMT	:= $(B)/tests/kern_host/test_sim
GUARDT	:= $(B)/tests/kern_host/test_guard
BENCH	:= $(patsubst bench/%.c,$(B)/bench/%,$(sort $(filter-out %.bpf.c,$(wildcard bench/*.c))))
TESTLIB	:= $(call obj,$(sort $(filter-out %.bpf.c,$(wildcard tests/lib/*.c))))
PROGLIB	:= $(call obj,$(sort $(filter-out tests/prog/test_%,$(wildcard tests/prog/*.c))))
BENCHLIB := $(call obj,$(sort $(wildcard bench/lib/*.c)))

$(UNIT): $(B)/%: $(B)/%.o $(TESTLIB) $(call obj,$(AGENT_SRC) $(BASE_SRC))
	@echo "  LD      $@"
	$(Q)$(CC) $(OPT) $(LDHARD) $^ $(LIBS) -lm -lcriterion -o $@
# a second copy that tells of each of its stores
$(B)/tests/unit/hooked_%.o: lb_user/svc/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(CFLAGS) -include tests/unit/$*_hooks.h -c $< -o $@
$(B)/tests/unit/test_egress: $(B)/tests/unit/hooked_egress.o
$(B)/tests/unit/test_decap_options: $(call obj,$(addprefix lb_user/ctl/,decap_options.c args.c text.c))
$(PROGT): $(PROGLIB)
$(BENCH): $(BENCHLIB)
$(PROGT) $(BENCH): $(B)/%: $(B)/%.o $(TESTLIB) $(call obj,$(AGENT_SRC) $(DP_SRC) $(BASE_SRC))
	@echo "  LD      $@"
	$(Q)$(CC) $(OPT) $(LDHARD) $^ $(LIBS) -lm -o $@
# headers of frames lie where they lie: BPF runs only where that costs nothing
ifeq ($(FLAVOUR),asan)
$(B)/tests/kern_host/host_walk.o: CFLAGS += -fno-sanitize=alignment
endif
$(FUZZP): $(call obj,$(sort $(wildcard tests/oracle/*.c tests/kern_host/host_walk.c)) \
	   tests/prog/tap.c $(DP_SRC) $(BASE_SRC))
	@echo "  LD      $@"
	$(Q)$(CC) $(OPT) $(LDHARD) $^ $(LIBS) -lm -o $@
# the agent's half of the slot rules as it is, interruptible at each of its accesses
$(B)/tests/kern_host/hooked_%.o: lb_user/domain/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(Q)$(CC) $(CFLAGS) -include tests/kern_host/sim_stores.h -c $< -o $@
$(SIMT): $(call obj,$(sort $(wildcard tests/kern_host/sim_*.c)) tests/kern_host/test_sim.c \
	   tests/prog/tap.c lb_user/domain/maglev.c lb_user/domain/state.c lb_user/base/err.c \
	   lb_user/base/idpool.c) $(patsubst %,$(B)/tests/kern_host/hooked_%.o,slots exceptions)
	@echo "  LD      $@"
	$(Q)$(CC) $(OPT) $(LDHARD) $^ -o $@
$(GUARDT): $(call obj,tests/kern_host/test_guard.c tests/prog/tap.c lb_user/domain/guard.c \
	   lb_user/base/prefix.c lb_user/base/addr.c)
	@echo "  LD      $@"
	$(Q)$(CC) $(OPT) $(LDHARD) $^ -o $@
$(TOOLS): $(call obj,$(sort $(wildcard tests/netns/*.c)))
	@echo "  LD      $@"
	$(Q)$(CC) $(OPT) $(LDHARD) $^ -luv -lm -o $@
.SECONDARY:

BENCHKERN := $(patsubst bench/%.bpf.c,$(KERN)/bench_%.bpf.o,$(wildcard bench/*.bpf.c))
$(KERN)/bench_%.bpf.o: bench/%.bpf.c Makefile
	@mkdir -p $(@D)
	@echo "  BPF     $@"
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

-include $(shell find build -name '*.d' 2>/dev/null)

# ---- what people call -------------------------------------------------------
help:			## this list
	@sed -n 's/^\([a-z-]*\):.*##[ \t]*\(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t16
	@echo "  FLAVOUR=asan   build with ASan and UBSan;  CC=clang: the other compiler;  V=1: show commands"

deps:			## install the packages of deploy/packages.txt that are missing
	@deploy/install-deps.sh

all: kern $(B)/sluiced $(B)/sluicectl	## build everything below build/

kern: $(SKEL)		## the BPF object and its skeleton

demo:			## real servers behind Sluice, in namespaces (KEEP=1 leaves the lab up)
	@deploy/install-deps.sh --no-vm
	@$(MAKE) --no-print-directory -s all $(TOOLS)
	@KEEP=$(KEEP) deploy/demo.sh $(B)

test: deps		## every test that CI runs; ends in "N passed, N failed"
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory tests-built
	@tests/run.sh $(B) $(TIER)

.PHONY: tests-built
tests-built: $(UNIT) $(SIMT) $(GUARDT) $(PROGT) $(TOOLS) $(FUZZP)

test-unit test-sim test-prog test-oracle test-api test-netns test-vm: test-%:	## one tier of the tests
	@$(MAKE) --no-print-directory test TIER=$*

fuzz-packets: all $(FUZZP)	## N packets (SEED=...) through program and oracle, see tests/oracle
	@$(FUZZP) $(or $(N),10000000) $(SEED)

lint:			## include floors, header self-containment, names, shell, formatting
	@tests/lint/run.sh

fmt:			## format all C files in place
	@clang-format -i $$(git ls-files '*.c' '*.h')

bench: deps		## ns per packet of the program, frames a second over veth; writes build/bench/
	@$(MAKE) --no-print-directory -s all $(BENCH) $(BENCHKERN)
	@bench/run.sh $(B)

install:		## DESTDIR and PREFIX are honoured
	install -D -m 0755 $(B)/sluiced $(DESTDIR)$(PREFIX)/sbin/sluiced
	install -D -m 0755 $(B)/sluicectl $(DESTDIR)$(PREFIX)/bin/sluicectl
	install -D -m 0755 deploy/sluice-backend $(DESTDIR)$(PREFIX)/sbin/sluice-backend
	install -D -m 0644 deploy/config/sluiced.example.json $(DESTDIR)$(PREFIX)/share/sluice/sluiced.example.json
	install -D -m 0644 deploy/sluicectl.1 $(DESTDIR)$(PREFIX)/share/man/man1/sluicectl.1
	install -D -m 0644 deploy/sluiced.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sluiced.service

clean:			## remove build/
	rm -rf build
