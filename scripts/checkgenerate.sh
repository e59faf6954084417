#!/usr/bin/env bash
#
# Fails if gen/ differs from what `make generate` generates from the spec: if a
# file differs, is missing, is left over, or is not in git. It generates in a copy
# of the tree, which needs no restoring and does not disturb others that use gen/
# at the same time (make -j).
#
# Exit codes: 0 up to date, 1 stale, 2 could not run, 3 up to date, but not all
# of it in git.

set -euo pipefail
cd "$(git rev-parse --show-toplevel 2>/dev/null || pwd)" || exit 2

copy=$(mktemp -d) || exit 2
trap 'rm -rf -- "$copy"' EXIT
trap 'exit 2' HUP INT TERM

# The last --exclude is for a TMPDIR inside of the tree.
tar -cf - --exclude=./.git --exclude=./gen --exclude="${copy##*/}" . | tar -xf - -C "$copy" || exit 2
make -C "$copy" --no-print-directory generate >&2 || exit 2

if ! diff -ru "$PWD/gen" "$copy/gen" | sed "s|$PWD/gen|gen (found)|; s|$copy/gen|gen|"; then
	echo "gen/ differs from what the spec generates. Run 'make generate', review the difference, and commit it." >&2
	exit 1
fi
if git rev-parse --git-dir >/dev/null 2>&1; then
	untracked=$(git ls-files --others --exclude-standard -- gen) || exit 2
	if [[ -n $untracked ]]; then
		printf '%s\n' "$untracked"
		echo "gen/ has untracked files. Run 'git add gen', and commit them." >&2
		exit 3
	fi
fi
