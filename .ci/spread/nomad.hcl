# 10,000 seeds in 8 allocations of a batch job. capsize is on each client's path. Start it, then merge:
#   nomad job run .ci/spread/nomad.hcl
#   nomad job allocs -json soak | jq -r '.[].ID' | xargs -I{} nomad alloc logs {} > all.jsonl
#   capsize soak --merge all.jsonl
job "soak" {
  type = "batch"

  group "soak" {
    count = 8

    task "soak" {
      driver = "raw_exec"

      # A failing seed is a result: only status 2 fails the task.
      config {
        command = "sh"
        args    = ["-c", "capsize soak --exact --seeds 1-10000 --shard $((NOMAD_ALLOC_INDEX + 1))/8 --for 10m --json --found= ; [ $? -le 1 ]"]
      }

      resources {
        cores  = 2
        memory = 1024
      }

      logs {
        max_files     = 10
        max_file_size = 10
      }
    }
  }
}
