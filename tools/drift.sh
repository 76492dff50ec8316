#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# drift.sh: regenerates and tidies a copy of the working tree and fails if that
# changes a file.
set -euo pipefail

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy"
cd "$copy"
git init -q
git add -A
make generate tidy >/dev/null
if ! git diff --exit-code --stat; then
	echo 'drift.sh: commit the result of: make generate tidy' >&2
	exit 1
fi
