#!/usr/bin/env bash
#
# Shows how an edit of the contract affects its users.
#
#   scripts/diff-spec.sh BASE        (or: make diff-spec BASE=origin/main)
#
# compares the working tree, uncommitted and untracked files included, with the
# git revision BASE, and prints:
#
#   Contract   what changed in api/openapi.yaml, classified by oasdiff
#   Go API     what changed in the exported API of every importable package of
#              the module, classified by apidiff
#   Claims     which claims of the spec are new, changed or gone, assumed or
#              documented: the lines of api/testdata/claims.golden, which a test
#              compares with the spec; omitted if there is no such file
#
# A request property that became required is no change
# of the Go API; a renamed Go type is no change of the contract; oasdiff ignores
# the extensions with assumptions and criteria. The Go API is that of gen/ on
# disk, so a stale gen/ is an error.
#
# A spec or a package that BASE does not have is new, which is not breaking. One
# that only BASE has was removed, which is breaking.
#
# On a branch, use the merge base as BASE, or the later changes of main will be
# listed in reverse:
#
#   make diff-spec BASE="$(git merge-base origin/main HEAD)"
#
# The result goes to stdout, its last line being the verdict; everything else
# goes to stderr. Exit codes:
#
#   0  nothing breaking
#   1  something breaking
#   2  could not run: no BASE, an unknown BASE, a stale gen/, a tool, a spec or
#      a package that does not load
#
# make exits with 2 for any failed command. To distinguish 1 from 2, run this
# script.

set -euo pipefail

# The pinned tools. They are not in go.mod, so that importers of this module do
# not depend on them.
readonly oasdiff_module=github.com/oasdiff/oasdiff@v1.36.0
readonly apidiff_module=golang.org/x/exp/cmd/apidiff@v0.0.0-20261014143641-f0251eb4aa3e

readonly spec=api/openapi.yaml
readonly claims=api/testdata/claims.golden

# What counts as breaking in the contract: oasdiff's levels "error" and
# "warning", and the checks below.
#
# "warning" is what oasdiff cannot decide, such as a removed request property, or
# a change below an allOf.
#
# oasdiff classifies the checks below as "info", because a server may omit what is
# optional. But a client that reads that property or header, handles that status,
# or uses the operation by its name has to change.
severity_levels() {
	cat <<-'LEVELS'
		api-operation-id-removed err
		optional-response-header-removed err
		response-non-success-status-removed err
		response-optional-property-removed err
	LEVELS
}

say() { printf 'diff-spec: %s\n' "$*" >&2; }

die() {
	say "$*"
	exit 2
}

# Exit with 2 unless there is a verdict: a command that fails unexpectedly must
# not look like a breaking change.
tmp=
verdict_reached=
finish() {
	status=$?
	trap - EXIT
	[[ -z $tmp ]] || rm -rf -- "$tmp"
	[[ -n $verdict_reached ]] || status=2
	exit "$status"
}
trap finish EXIT
trap 'exit 2' HUP INT TERM

if [[ $# -ne 1 || -z $1 ]]; then
	die 'no BASE: say which revision to compare with, e.g. make diff-spec BASE=origin/main'
fi
readonly base_name=$1

root=$(git rev-parse --show-toplevel) || die 'not inside a git repository'
base=$(git -C "$root" rev-parse --verify --quiet --end-of-options "$base_name^{commit}") ||
	die "no revision $base_name here (in a shallow clone, or before a fetch, it may be missing)"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/diff-spec.XXXXXX") || die 'no temporary directory'

# Check BASE out with a separate index. `git archive` would omit files with
# export-ignore, and `git worktree` would write to the repository.
mkdir "$tmp/base" "$tmp/bin"
GIT_INDEX_FILE=$tmp/index git -C "$root" read-tree "$base"
GIT_INDEX_FILE=$tmp/index git -C "$root" checkout-index --all --prefix="$tmp/base/"
ln -s "$root" "$tmp/tree" # so that reports say tree/... and base/...

# A workspace would mix the two sides; a configuration file would change what
# oasdiff reports.
export GOWORK=off
unset OASDIFF_CONFIG

# With a stale gen/, the Go part would be wrong. Without the spec, gen/ cannot be checked, and the contract's part says
# so. 3 is "up to date, but not all of it in git", which is fine here.
check=scripts/checkgenerate.sh
if [[ -f $root/$check && -f $root/$spec ]]; then
	status=0
	(cd "$root" && bash "$check") >"$tmp/generate" 2>&1 || status=$?
	case $status in
	0 | 3) ;;
	1) die 'gen/ is stale: run make generate first' ;;
	*)
		cat "$tmp/generate" >&2
		die "cannot tell whether gen/ is stale: $check failed (exit code $status)"
		;;
	esac
fi

# Installed rather than run with `go run`, which turns every exit code into 1.
for module in "$oasdiff_module" "$apidiff_module"; do
	GOBIN=$tmp/bin go install "$module" || die "cannot install $module"
done

# compare_contract prints the changes of the spec and sets contract_breaking.
compare_contract() {
	local status=0
	contract_breaking=0

	if [[ ! -f $tmp/base/$spec && ! -f $tmp/tree/$spec ]]; then
		die "there is no $spec, neither in $base_name nor in the working tree"
	elif [[ ! -f $tmp/base/$spec ]]; then
		echo "  $spec is not in $base_name: all of it is new"
		return
	elif [[ ! -f $tmp/tree/$spec ]]; then
		echo "  $spec was removed"
		contract_breaking=1
		return
	elif cmp -s "$tmp/base/$spec" "$tmp/tree/$spec"; then
		echo '  no change'
		return
	fi

	severity_levels >"$tmp/levels"
	# In $tmp, so that no .oasdiff file of the repository applies.
	(cd "$tmp" && bin/oasdiff changelog "base/$spec" "tree/$spec" --format text --color never \
		--allow-external-refs=false --severity-levels levels --fail-on WARN) >"$tmp/contract" || status=$?
	[[ $status -le 1 ]] || die "oasdiff failed on $spec (exit code $status)"

	# One blank line between two changes, none at the end. Without oasdiff's hint to run `oasdiff diff`.
	awk '
		/^No changes to report, but the specs are different\./ {
			print "  no change of the API; what differs is text, examples or extensions"
			next
		}
		/^Run .oasdiff diff. / { next }
		NF                     { if (blank) print ""; blank = 0; print "  " $0; next }
		                       { blank = 1 }
	' "$tmp/contract"

	contract_breaking=$(awk -F '\t' '$1 == "error" || $1 == "warning" { n++ } END { print n + 0 }' "$tmp/contract")
	# The exit code and the text must agree.
	[[ $((contract_breaking > 0)) -eq $status ]] ||
		die "oasdiff exited with $status, but its report has $contract_breaking breaking changes"
}

# list_packages writes the import paths that importers of the module in
# directory $1 may use, sorted, into file $2, and checks that they build:
# apidiff ignores a broken dependency of a package.
list_packages() {
	: >"$2"
	[[ -f $1/go.mod ]] || return 0
	(cd "$1" && go list -f '{{if and (ne .Name "main") (or .GoFiles .CgoFiles)}}{{.ImportPath}}{{end}}' ./...) >"$2.all" ||
		die "cannot list the packages of the $3"
	awk '!/(^|\/)internal(\/|$)/' "$2.all" | LC_ALL=C sort >"$2"
	[[ -s $2 ]] || return 0
	(cd "$1" && xargs go build <"$2") || die "the packages of the $3 do not build"
}

# compare_package compares package $1, which exists on both sides.
compare_package() {
	local folder generated

	(cd "$tmp/base" && "$tmp/bin/apidiff" -w "$tmp/old" "$1") || die "apidiff cannot load $1 of $base_name"
	(cd "$root" && "$tmp/bin/apidiff" -w "$tmp/new" "$1") || die "apidiff cannot load $1 of the working tree"
	# An optional property that is a list or raw JSON takes the operator == from a generated struct, whose documentation
	# says not to use it. For other structs, that is breaking.
	folder=$(cd "$root" && go list -f '{{.Dir}}' "$1") || die "cannot find $1 in the working tree"
	generated=$(find "$folder" -maxdepth 1 -name '*.gen.go' -exec awk '/^type [A-Za-z0-9_]+ struct/ { printf " %s ", $2 }' {} +)
	# apidiff always exits with 0, so parse its text.
	"$tmp/bin/apidiff" "$tmp/old" "$tmp/new" >"$tmp/report" || die "apidiff failed on $1"
	awk -v generated="$generated" '
		/^Incompatible changes:$/ { kind = "breaking  "; next }
		/^Compatible changes:$/   { kind = "compatible"; next }
		/^- [^ ]+: old is comparable, new is not$/ && kind && index(generated, " " substr($2, 1, length($2) - 1) " ") {
			print "    compatible  " substr($0, 3)
			next
		}
		/^- / && kind             { print "    " kind "  " substr($0, 3); next }
		                          { print; strange = 1 }
		END                       { exit strange }
	' "$tmp/report" || die "cannot make sense of apidiff's report on $1"
}

# compare_go prints the changes of the Go API and sets go_breaking.
compare_go() {
	local package removed added

	list_packages "$tmp/base" "$tmp/packages.old" "revision $base_name"
	list_packages "$root" "$tmp/packages.new" 'working tree'
	removed=$(LC_ALL=C comm -23 "$tmp/packages.old" "$tmp/packages.new")
	added=$(LC_ALL=C comm -13 "$tmp/packages.old" "$tmp/packages.new")

	if [[ ! -s $tmp/packages.old ]]; then
		echo "  $base_name has no importable package: all of it is new"
	fi
	for package in $removed; do
		printf '  %s\n    breaking    package removed\n' "$package"
	done
	for package in $added; do
		printf '  %s\n    compatible  package added\n' "$package"
	done
	for package in $(LC_ALL=C comm -12 "$tmp/packages.old" "$tmp/packages.new"); do
		compare_package "$package" >"$tmp/changes"
		if [[ -s $tmp/changes ]]; then
			printf '  %s\n' "$package"
			cat "$tmp/changes"
		fi
	done
}

# compare_claims prints the changed claims, under a heading. None of them is
# breaking: a changed claim changes the verdict on a server, and the part on the
# contract tells what a caller can no longer do.
compare_claims() {
	local status=0

	[[ -f $tmp/base/$claims || -f $tmp/tree/$claims ]] || return 0
	echo
	echo 'Claims'
	if [[ ! -f $tmp/base/$claims ]]; then
		echo "  $claims is not in $base_name: all of it is new"
		return
	elif [[ ! -f $tmp/tree/$claims ]]; then
		echo "  $claims was removed"
		return
	fi

	diff "$tmp/base/$claims" "$tmp/tree/$claims" >"$tmp/claims" || status=$?
	case $status in
	0) echo '  no change' ;;
	1) sed -n 's/^< /  - /p; s/^> /  + /p' "$tmp/claims" ;;
	*) die "cannot compare $claims (exit code $status)" ;;
	esac
}

say "comparing the working tree with $base_name (${base:0:12})"

echo 'Contract (oasdiff)'
compare_contract
echo
echo 'Go API (apidiff)'
compare_go >"$tmp/go"
if [[ -s $tmp/go ]]; then cat "$tmp/go"; else echo '  no change'; fi
compare_claims
go_breaking=$(awk '/^    breaking  / { n++ } END { print n + 0 }' "$tmp/go")

echo
echo "breaking: $contract_breaking in the contract, $go_breaking in the Go API"
verdict_reached=yes
[[ $contract_breaking -eq 0 && $go_breaking -eq 0 ]] || exit 1
