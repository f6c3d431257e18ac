#!/usr/bin/env bash
# evals.sh TYPE [BEFORE AFTER]: hold the prompts of a workspace against their gold, offline, in any CI.
# Writes reports/gate.xml (JUnit) and reports/summary.md, which hold no words of letters. With two prompt
# versions it also writes reports/compare.html, which holds the letters' texts.
set -uo pipefail
type=$1 before=${2:-} after=${3:-}
mkdir -p reports
worst=0
check() { "$@" || { code=$?; [ "$code" -lt "$worst" ] || worst=$code; }; }
check extractor cassettes status --strict --type "$type"
check extractor eval leaks --type "$type"
check extractor eval gate --strict --type "$type" --format junit --out reports/gate.xml
check extractor eval gate --strict --type "$type" --format md --out reports/summary.md
if [ -n "$before" ] && [ -n "$after" ]; then
  check extractor eval compare "$before" "$after" --type "$type" --format html --out reports/compare.html
fi
exit "$worst"
