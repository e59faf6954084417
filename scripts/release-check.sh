#!/usr/bin/env bash
# Builds a snapshot of a release from two clones of the last commit, without publishing anything, and compares the two byte
# for byte. Then it runs the binary for this machine as the image does. GORELEASER is how to run goreleaser.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${GORELEASER:?how to run goreleaser, see the Makefile}"
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
export HOMEBREW_TAP_TOKEN=none

targets=(linux_amd64.tar.gz linux_arm64.tar.gz darwin_amd64.tar.gz darwin_arm64.tar.gz windows_amd64.zip windows_arm64.zip)
files=(checksums.txt)
for target in "${targets[@]}"; do
	files+=("fleetio_$target" "fleetio_${target%%.*}.sbom.json")
done

for clone in first second; do
	git clone --quiet . "$temp/$clone"
	(
		cd "$temp/$clone"
		git remote set-url origin https://github.com/fleetcontract/fleetio-go # as a fork may have another one
		if [ "$clone" = second ]; then
			export GOCACHE=$temp/cache # or else it would be what the first one compiled
		fi
		$GORELEASER release --snapshot --clean --skip=docker,publish >"$temp/log" 2>&1 || { cat "$temp/log"; exit 1; }
		cd dist
		sha256sum --quiet -c checksums.txt
		sha256sum "${files[@]}" >../../"$clone.sha256" # a file that is missing is an error
	)
done
diff "$temp/first.sha256" "$temp/second.sha256" || { echo 'release-check: two builds of the same commit differ'; exit 1; }

cd "$temp/first/dist"
for target in "${targets[@]}"; do
	case $target in *.zip) list=$(unzip -Z1 "fleetio_$target") ;; *) list=$(tar tzf "fleetio_$target") ;; esac
	for name in LICENSE NOTICE README.md CHANGELOG.md; do
		grep -qx "$name" <<<"$list" || { echo "release-check: fleetio_$target has no $name"; exit 1; }
	done
	grep -qxE 'fleetio(\.exe)?' <<<"$list" || { echo "release-check: fleetio_$target has no program"; exit 1; }
done
cat "$temp/first.sha256"
binary=$(echo ./"fleetio_$(go env GOHOSTOS)_$(go env GOHOSTARCH)"_*/fleetio)
"$binary" version
"$binary" test # the command of the image
size=$(wc -c <"$binary")
echo "two builds are equal; the binary has $((size >> 10)) KiB"
test "$size" -lt $((27 * 1000 * 1000)) # the image, which is this and a base of 2 MB, must be below 30 MB
