#!/usr/bin/env bash
# Builds a snapshot of a release twice, without publishing anything, and compares the two byte for byte. Then it runs the
# binary for this machine as the image does. GORELEASER is how to run goreleaser.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${GORELEASER:?how to run goreleaser, see the Makefile}"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
export HOMEBREW_TAP_TOKEN=none

$GORELEASER check
for build in 1 2; do
	$GORELEASER release --snapshot --clean --skip=docker,publish >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
	(cd dist && sha256sum ./*.tar.gz ./*.zip ./*.sbom.json checksums.txt) >"$temp/$build"
done
diff "$temp/1" "$temp/2" || { echo 'release-check: two builds of the same commit differ'; exit 1; }

for os in linux darwin windows; do
	for arch in amd64 arm64; do
		ls dist/fleetio_${os}_$arch.{tar.gz,zip} 2>/dev/null | grep -q . || { echo "release-check: no archive for $os/$arch"; exit 1; }
		test -s dist/fleetio_${os}_$arch.sbom.json
	done
done
(cd dist && sha256sum --quiet -c checksums.txt)

binary=$(go list -f '{{.Target}}' ./cmd/fleetio >/dev/null; echo "dist/fleetio_$(go env GOHOSTOS)_$(go env GOHOSTARCH)"*/fleetio)
$binary version
$binary test # the command of the image
size=$(wc -c <"$binary")
echo "$((size >> 20)) MiB; two builds are equal"
test "$size" -lt $((27 << 20)) # the image is this and a base of 2 MiB, and should be below 30 MB
