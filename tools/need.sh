#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# need.sh program=package[,package] ...: installs the Debian packages of each program
# that is not on the PATH.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

missing=()
for pair in "$@"; do
	if ! command -v "${pair%%=*}" >/dev/null; then
		IFS=, read -ra packages <<<"${pair#*=}"
		missing+=("${packages[@]}")
	fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

printf '\n\033[1m==> installing Debian packages: %s\033[0m\n' "${missing[*]}"
sudo=()
if [ "$(id -u)" != 0 ]; then
	sudo=(sudo)
fi
if ! command -v apt-get >/dev/null || ! command -v "${sudo[0]:-apt-get}" >/dev/null; then
	echo "need.sh: install these yourself, then try again: ${missing[*]}" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -q
"${sudo[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
