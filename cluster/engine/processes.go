package engine

import (
	"errors"

	"capsize/cluster"
)

// OpenProcesses is an [Opener] of a cluster whose nodes are processes of the operating system.
func OpenProcesses(cluster.Config, Options) (Engine, error) {
	return nil, errors.New("processes are not possible yet")
}
