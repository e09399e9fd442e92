# nginx-duplex: everything a developer or an operator builds and runs.

NGINX =
SAN =
BUILD = $(CURDIR)/build$(if $(SAN),/san)
T = t/*.t
ONLY = trixie sid
B =
KEEP =
DESTDIR ?=

# sanitizers take their time

DUPLEX_SLOW ?= $(if $(SAN),3,1)

export NGINX SAN BUILD KEEP DESTDIR DUPLEX_SLOW

JOBS := $(shell nproc)
UNIT = $(filter-out t/unit/unit.c,$(wildcard t/unit/*.c))


help:
	@echo 'make demo              two nodes, three backends, one tour'
	@echo 'make demo KEEP=1       the same, and leaves the pair running'
	@echo 'make build             all modules, into build/modules, and duplexctl'
	@echo 'make cli               duplexctl alone, into build'
	@echo 'make test              installs what it needs, runs all tests'
	@echo 'make test T=t/x.t      one test'
	@echo 'make test-ha           whole machines failing, with keepalived'
	@echo 'make matrix            the same with nginx 1.26 and 1.30, in roots'
	@echo 'make matrix ONLY=sid   of other Debian releases, or in one'
	@echo 'make check             style, layers, symbols, unit tests'
	@echo 'make bench             figures beside those of HAProxy and plain nginx'
	@echo 'make install           into the modules path of that nginx'
	@echo 'make deb               Debian packages for this release, into build/deb'
	@echo 'make clean             removes all that was built'
	@echo
	@echo 'NGINX=tree             another nginx (tools/build says which)'
	@echo 'SAN=asan,ubsan         with sanitizers, into build/san'
	@echo 'BUILD=directory        instead of build'

demo: deps build
	@tools/demo

build: cli
	@tools/build

cli:
	@$(MAKE) -s -C cli BUILD=$(abspath $(BUILD))

deps:
	@tools/install-deps

# programs of others that tests run against ours, if they are there

CLIENTS = prometheus prometheus-nginx-exporter golang-go \
	golang-github-nginxinc-nginx-plus-go-client-dev chromium clang \
	python3-jsonschema python3-yaml

deps-clients: deps
	@tools/install-deps $(CLIENTS)

# Sanitizers go twice: in our modules, and in an nginx that has them, too.
# What "make check" does is the same without: unit tests always have them.

test: deps
	@failed=0; \
	$(MAKE) -s test-one || failed=1; \
	$(if $(SAN),$(if $(NGINX),,$(MAKE) -s test-debug || failed=1;)) \
	exit $$failed

test-debug:
	@tools/install-deps dpkg-dev
	@tools/build-nginx build/nginx
	@$(MAKE) -s test-one NGINX=$(CURDIR)/build/nginx/tree \
		BUILD=$(CURDIR)/build/debug

test-one:
	@failed=0; \
	$(MAKE) -s $(if $(SAN)$(filter command,$(origin T)),build,check) \
		|| failed=1; \
	tools/run-tests $(wildcard $(T)) || failed=1; \
	exit $$failed

# whole machines, in namespaces of their own; one after the other

test-ha:
	@tools/install-deps keepalived nftables
	@$(MAKE) -s build
	@tools/run-tests $(if $(filter command,$(origin T)),$(T),t/ha/*.t)

matrix:
	@tools/install-deps debootstrap
	@$(if $(filter command,$(origin T)),T='$(T)') exec tools/matrix $(ONLY)

# all of them, so that one run shows all that is wrong

check: build
	@failed=0; \
	tools/check-style || failed=1; \
	tools/check-layers || failed=1; \
	tools/check-symbols $(BUILD)/modules || failed=1; \
	$(if $(UNIT),prove -j$(JOBS) --exec t/unit/run $(UNIT) || failed=1;) \
	exit $$failed

# figures, not tests: nothing fails

bench: build
	@tools/install-deps haproxy valgrind
	@bench/run $(B)

install: build
	@tools/install

# from a copy, as the tree keeps nothing of it

deb:
	@tools/install-deps build-essential debhelper
	@rm -rf build/deb && mkdir -p build/deb/tree
	@git ls-files -z | xargs -0 cp --parents -t build/deb/tree
	@cd build/deb/tree && dpkg-buildpackage -us -uc -b > ../log 2>&1 \
		|| { tail -n 20 ../log; exit 1; }
	@rm -rf build/deb/tree
	@ls build/deb/*.deb

clean:
	@rm -rf build

.PHONY: help demo bench build cli deps deps-clients test test-one test-debug \
        test-ha matrix check install deb clean
