package cli

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"capsize/cluster"
	"capsize/cluster/machines"
)

func nodeCommand() *cobra.Command {
	cfg := machines.NodeConfig{Settings: cluster.DefaultSettings()}
	var peers string
	var set []string
	cmd := &cobra.Command{
		Use:   "node NAME",
		Short: "Run one Raft node, for capsize attach to drive",
		Long: `Run one Raft node: hashicorp/raft over its own TCP transport, raft-boltdb, and the
replicated counter. It runs until it is interrupted or its disk fails. capsize attach
shows it and drives it.

Every node of a cluster gets the same --peers and --set. Three nodes on this host:
  capsize node n1 --data /tmp/c --listen 127.0.0.1:7001 --control 127.0.0.1:7101 --peers $P
  capsize node n2 --data /tmp/c --listen 127.0.0.1:7002 --control 127.0.0.1:7102 --peers $P
  capsize node n3 --data /tmp/c --listen 127.0.0.1:7003 --control 127.0.0.1:7103 --peers $P
with P=n1=127.0.0.1:7001,n2=127.0.0.1:7002,n3=127.0.0.1:7003

Addresses beyond this host need mutual TLS: --tls-cert and --tls-key are this node's
certificate, for its host name and for both client and server, and --tls-ca has signed
those of all nodes and of whoever attaches.`,
		Args: from(1, 1, "the name of the node"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			cfg.Name = args[0]
			if err := cluster.ApplySettings(&cfg.Settings, set); err != nil {
				return usageError{fmt.Errorf("--set %w", err)}
			}
			if cfg.Dir == "" || peers == "" {
				return usageError{errors.New("node needs --data, the directory of its files, and --peers, all nodes of the cluster")}
			}
			if cfg.Peers, err = machines.ParsePeers(peers); err != nil {
				return usageError{err}
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			started := false
			err = machines.RunNode(ctx, cfg, func(listen, control net.Addr) {
				started = true
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s listens on %s for nodes, and on %s for capsize attach\n", cfg.Name, listen, control)
			})
			if err != nil && !started {
				return usageError{err}
			}
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&cfg.Dir, "data", "", "keep the node's files in a directory of its name in this one")
	fs.StringVar(&cfg.Listen, "listen", "127.0.0.1:7000", "HOST:PORT where the other nodes reach it")
	fs.StringVar(&cfg.Control, "control", "127.0.0.1:7001", "HOST:PORT where capsize attach reaches it")
	fs.StringVar(&peers, "peers", "", "NAME=HOST:PORT,... of all nodes, this one too")
	fs.StringVar(&cfg.Proxy, "proxy", "", "HOST:PORT of capsize attach --proxy, to reach the other nodes only through it")
	fs.StringArrayVar(&set, "set", nil, "KEY=VALUE: "+strings.Join(cluster.SettingKeys(), ", "))
	addTLS(&cfg.TLS, fs)
	return cmd
}

// addTLS adds the flags for mutual TLS.
func addTLS(files *machines.TLSFiles, fs *pflag.FlagSet) {
	fs.StringVar(&files.Cert, "tls-cert", "", "certificate (PEM), for client and server")
	fs.StringVar(&files.Key, "tls-key", "", "key of the certificate (PEM)")
	fs.StringVar(&files.CA, "tls-ca", "", "certificate of the authority that has signed all certificates (PEM)")
}
