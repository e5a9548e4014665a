#!/usr/bin/env bash
# 10,000 seeds in 8 shards with GNU parallel, on this machine or on those of HOSTS, a file as --sshloginfile
# takes it, with capsize on their path. Start it; it merges by itself:
#   .ci/spread/parallel.sh [HOSTS]
set -euo pipefail
shards=${SHARDS:-8}
where=()
if [ $# -gt 0 ]; then
	where=(--sshloginfile "$1")
fi
# A failing seed is a result: parallel counts it as a failed job, and the merge says which seed it was.
seq "$shards" | parallel "${where[@]}" --jobs "${JOBS:-1}" \
	"capsize soak --exact --seeds ${SEEDS:-1-10000} --shard {}/$shards --for ${FOR:-10m} --json" > all.jsonl || true
capsize soak --merge all.jsonl
