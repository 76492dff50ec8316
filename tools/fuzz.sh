#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh TIME [FOLDER]: runs every fuzz target of the workspace, or of a folder of it, for TIME, one
# after the other, and says at the end what each has done. Inputs that fail are kept in testdata/fuzz.
set -uo pipefail

period=$1 folder=${2:-.}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
targets=() failed=0
while IFS=: read -r file target; do
	package=./$(dirname "$file")
	printf '\n\033[1m==> %s in %s for %s\033[0m\n' "$target" "$package" "$period"
	result=ok
	go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$period" -fuzzminimizetime 50x 2>&1 | tee "$log" || { result=FAILED failed=1; }
	counts=$(grep -o 'execs: [0-9]*.*' "$log" | tail -n 1)
	targets+=("$(printf '%-6s %-24s %-44s %s' "$result" "$target" "$package" "$counts")")
done < <(git grep -oE '^func Fuzz\w+' -- "$folder/*_test.go" | sed 's/func //')

printf '\n%s' "${targets[@]}"
printf '\n\n%d fuzz targets\n' "${#targets[@]}"
exit "$failed"
