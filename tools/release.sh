#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds what a release is made of into dist: the binary and the Debian package for each
# architecture, and their checksums.
#
#   tools/release.sh VERSION   e.g. 1.2.3
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?usage: tools/release.sh VERSION}
nfpm=.cache/bin/nfpm
GOWORK=off go build -C tools/release -o "$PWD/$nfpm" github.com/goreleaser/nfpm/v2/cmd/nfpm
rm -rf dist
mkdir -p dist
for arch in amd64 arm64; do
	binary=dist/weir-$version-linux-$arch
	CGO_ENABLED=0 GOOS=linux GOARCH=$arch go build -trimpath -ldflags "-s -w -X main.release=v$version" -o "$binary" ./cmd/weir
	ARCH=$arch VERSION=$version BINARY=$binary "$nfpm" package --config deploy/systemd/nfpm.yaml --packager deb --target dist/
done
(cd dist && sha256sum -- * >SHA256SUMS)
ls -l dist
