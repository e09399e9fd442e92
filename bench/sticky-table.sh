#!/bin/sh
#
# Sessions per megabyte, and what creating and finding one costs, beside the
# least a C program can do (bench/sticky-table.c).
#
# usage: bench/sticky-table.sh
#
# Needs "make build".  Exit code 1: a goal was missed.

set -eu

cd "$(dirname "$0")/.."

build=${BUILD:-build}
so=$build/sticky-table.so
core=modules/core/ngx_duplex

# shellcheck disable=SC2046
${CC:-cc} -O2 -W -Wall -Wno-unused-parameter -fPIC -shared \
    -Dmain=ngx_duplex_unit_main -I t/unit $(cat "$build/scratch/includes") \
    -o "$so" bench/sticky-table.c t/unit/unit.c ${core}_dense.c \
    ${core}_dense_memory.c ${core}_dense_read.c ${core}_lock.c \
    ${core}_clock.c ${core}_siphash.c

case $so in /*) ;; *) so=$PWD/$so ;; esac

LD_PRELOAD=$so exec "$(cat "$build/scratch/nginx")"
