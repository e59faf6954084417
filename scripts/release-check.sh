#!/usr/bin/env bash
# Builds a snapshot of a release from two clones of the last commit, without publishing anything, and compares the two byte
# for byte. Then it runs the binary for this machine as the image does. GORELEASER is how to run goreleaser.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${GORELEASER:?how to run goreleaser, see the Makefile}"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
export HOMEBREW_TAP_TOKEN=none

for clone in first second; do
	git clone --quiet . "$temp/$clone"
	(
		cd "$temp/$clone"
		git remote set-url origin https://github.com/fleetcontract/fleetio-go # as a fork may have another one
		$GORELEASER release --snapshot --clean --skip=docker,publish >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
		cd dist
		sha256sum --quiet -c checksums.txt
		sha256sum fleetio_* checksums.txt 2>/dev/null >../../"$clone.sha256" || true # not the folders
	)
done
diff "$temp/first.sha256" "$temp/second.sha256" || { echo 'release-check: two builds of the same commit differ'; exit 1; }

cd "$temp/first/dist"
for target in linux_amd64.tar.gz linux_arm64.tar.gz darwin_amd64.tar.gz darwin_arm64.tar.gz windows_amd64.zip windows_arm64.zip; do
	test -s "fleetio_$target" && test -s "fleetio_${target%%.*}.sbom.json" || { echo "release-check: there is no fleetio_$target with its SBOM"; exit 1; }
done
cat "$temp/first.sha256"
binary=$(echo ./"fleetio_$(go env GOHOSTOS)_$(go env GOHOSTARCH)"_*/fleetio)
"$binary" version
"$binary" test # the command of the image
size=$(wc -c <"$binary")
echo "two builds are equal; the binary has $((size >> 10)) KiB"
test "$size" -lt $((27 * 1000 * 1000)) # the image, which is this and a base of 2 MB, must be below 30 MB
