#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh TIME: runs every fuzz target of the workspace for TIME, one after the other.
set -euo pipefail

found=0
while IFS=: read -r file target; do
	found=$((found + 1))
	printf '\n\033[1m==> %s in %s for %s\033[0m\n' "$target" "$(dirname "$file")" "$1"
	go test "./$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$1"
done < <(git grep -oE '^func Fuzz\w+' -- '*_test.go' | sed 's/func //')
printf '\n%d fuzz targets, no failure.\n' "$found"
