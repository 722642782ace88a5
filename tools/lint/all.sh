#!/bin/bash
# Every lint, from a built tree: tools/lint/all.sh [build folder]. The same checks are ctest tests with the label "lint";
# here clang-format and clang-tidy look at what changed against main as well.
set -u
cd "$(dirname "$0")/../.."
build=${1:-build/dev}
failed=0
check() { printf '%-14s ' "$1"; shift; "$@" || failed=1; }
[ -f "$build/build.ninja" ] || { echo "$build is not built; cmake --preset dev && cmake --build --preset dev"; exit 2; }

check ctest ctest --test-dir "$build" -L lint --output-on-failure -Q
base=$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD~1)
check commits python3 tools/lint/commits.py "$base..HEAD"
mapfile -t changed < <(git diff --name-only --diff-filter=AM "$base" -- '*.c' '*.h')
if [ ${#changed[@]} -gt 0 ] && command -v clang-tidy >/dev/null; then
    # Not the tests: the analyzer does not know that a failed SLT_ASSERT leaves the case.
    mapfile -t units < <(printf '%s\n' "${changed[@]}" | grep '\.c$' | grep -v '^tests/')
    [ ${#units[@]} -eq 0 ] || check clang-tidy clang-tidy --quiet -p "$build" "${units[@]}"
fi
[ "$failed" -eq 0 ] && echo "all lints pass"
exit "$failed"
