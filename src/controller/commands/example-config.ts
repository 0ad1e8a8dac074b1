/** What `init` writes; a test parses it. */
export const exampleConfig = `# Muster config. Every key is explained in docs/config.md; check this file with: bench-controller validate

name: example

# Who generates the load: each runs \`bench-agent --listen :7761\`. Without this list the controller starts one here.
# agents:
#   - node[01-03]:7761                                  # three agents
#   - { address: node04:7761, id: big, threads: 32 }    # one with settings of its own

# Where the load goes, on each agent: an absolute path. {agent} and {index} become the agent's id and number.
target: /tmp

# private: each agent has files of its own. shared: all agents work on the same ones.
namespace: private

# The same seed gives the same sequence of operations. Without it one is drawn, and recorded in the results.
seed: 42

# Made before the first stage and removed at the end; nothing else on the target is touched.
dataset:
  name: example
  files: 4 # per agent in a private namespace, in total in a shared one
  file_size: 64MiB
  content: random # or zero
  keep: false # true leaves it for the next run

# One after the other; all agents start each stage at the same instant.
stages:
  - name: seq-write
    mix: write # read write get put stat list delete rename mkdir rmdir
    block_size: 1MiB
    access: sequential # random, shuffled, zipf, hotspot, strided
    threads: 2 # per agent
    fsync: end # never, end, every, or every N writes
    duration: 10s # and/or max_operations, max_bytes: whichever comes first

  - name: rand-mix
    mix: { read: 70, write: 30 } # weights
    block_size: 4KiB
    access: random
    threads: 4
    # direct: true # around the page cache
    duration: 20s

# Exit code 1 when one of these is not met.
expect:
  - rand-mix.errors == 0
  - rand-mix.read.response.p99 < 1s

results:
  folder: results
  formats: [json, csv, hlog, html]
`;
