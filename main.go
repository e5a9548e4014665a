// Capsize is an interactive terminal playground for Raft: real hashicorp/raft
// nodes in one process, in virtual time, over a network and disks that break at
// the press of a key.
package main

import (
	"os"

	"capsize/ui/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
