// Package processes starts clusters whose nodes are processes of the operating system, behind the
// same door as all others.
package processes

import (
	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/machines"
)

// Open is an [engine.Opener] of a cluster whose nodes are child processes on this host. They speak
// over TCP, in real time: the speed is always 1, and nothing stops the clock. The program must run a
// node when [machines.IsChild] says so. A branch of the engine is a native one. The errors are those
// of [cluster.Open].
func Open(cfg cluster.Config, o engine.Options) (engine.Engine, error) {
	children, err := machines.NewChildren()
	if err != nil {
		return nil, err
	}
	cfg.Machines = children
	return engine.OpenNative(cfg, o)
}

// Attach returns an [engine.Opener] of the cluster whose nodes run already, and the configuration to
// open it with. The errors are those of [machines.Attach].
func Attach(cfg machines.AttachConfig) (engine.Opener, cluster.Config, error) {
	attached, err := machines.Attach(cfg)
	if err != nil {
		return nil, cluster.Config{}, err
	}
	open := cluster.Config{Nodes: len(attached.Names()), Settings: attached.Settings(), Machines: attached}
	return engine.OpenNative, open, nil
}
