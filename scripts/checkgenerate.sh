#!/usr/bin/env bash
#
# Fails when gen/ is not what `make generate` makes of the spec: a file that
# differs, is missing, is left over, or is not in git. The tree is left as it
# was found, so that the answer stays the same until somebody acts on it.
#
# Exit codes: 0 up to date, 1 stale, 2 could not run.

set -uo pipefail
cd "$(git rev-parse --show-toplevel 2>/dev/null || pwd)" || exit 2

before=$(mktemp -d) || exit 2
cp -R gen/. "$before" || exit 2
trap 'rm -rf gen; mkdir gen; cp -R "$before"/. gen; rm -rf "$before"' EXIT

make --no-print-directory generate >&2 || exit 2
if ! diff -ru "$before" gen | sed "s|$before|gen (found)|"; then
	echo "gen/ is not what the spec makes. Run 'make generate', look at the difference, and commit it." >&2
	exit 1
fi
if git rev-parse --git-dir >/dev/null 2>&1; then
	untracked=$(git ls-files --others --exclude-standard -- gen)
	if [ -n "$untracked" ]; then
		printf '%s\n' "$untracked"
		echo "gen/ has files that git does not know. Run 'git add gen', and commit them." >&2
		exit 1
	fi
fi
