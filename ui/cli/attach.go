package cli

import (
	"context"
	"math"

	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/cluster/engine/processes"
	"capsize/cluster/machines"
)

func attachCommand() *cobra.Command {
	f := flags{engineFlags: engineFlags{processes: true}}
	var cfg machines.AttachConfig
	cmd := &cobra.Command{
		Use:   "attach HOST:PORT...",
		Short: "Open the playground over nodes that run elsewhere",
		Long: `Open the playground over nodes that run already, here or on other hosts: started with
capsize node, by systemd, Nomad, Kubernetes or by hand. HOST:PORT is the --control address
of a node. Name every node: one that is not named is not seen.

A node that does not answer, from the start or later, is drawn as unreachable, not as
dead: it may still run. Kill really kills a node's process, which only its own host can
start again; it is seen as soon as it answers. Quitting leaves the nodes as they are,
with the faults that are set.

To break links, start all nodes with the --proxy address at which attach --proxy listens.
Such nodes reach each other only while capsize is attached.

Addresses beyond this host need mutual TLS: --tls-cert, --tls-key and --tls-ca.`,
		Example: `  capsize attach 127.0.0.1:7101 127.0.0.1:7102 127.0.0.1:7103`,
		Args:    from(1, math.MaxInt, "the control address of a node"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return onScreen(cmd, f, func(context.Context) (engines, cluster.Config, error) {
				cfg.Addresses = args
				open, found, err := processes.Attach(cfg)
				if err != nil {
					return engines{}, found, usageError{err}
				}
				return engines{open: open, close: func() error { return nil }}, found, nil
			})
		},
	}
	fs := cmd.Flags()
	f.addScreen(fs)
	f.addTrace(fs)
	fs.StringVar(&cfg.Proxy, "proxy", "", "HOST:PORT where the proxy between the nodes listens")
	addTLS(&cfg.TLS, fs)
	// Time is real, so there is no speed to choose, and nothing else than processes.
	fs.BoolVar(&f.processes, processesFlag, true, "")
	for _, name := range []string{processesFlag, speedFlagName} {
		_ = fs.MarkHidden(name)
	}
	complete(cmd)
	return cmd
}
