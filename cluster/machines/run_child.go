package machines

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"capsize/cluster"
	"capsize/cluster/control"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

// childVariable is set in the environment of a child.
const childVariable = "CAPSIZE_CHILD"

// IsChild reports whether this process is the child of another capsize, and has to call [RunChild]
// and nothing else.
func IsChild() bool { return os.Getenv(childVariable) != "" }

// closeTimeout is how long a node may take to stop. The files do not need it.
const closeTimeout = 2 * time.Second

// RunChild runs a node for the program that has started this process, over its standard input and
// output, until the input ends. The error says why the node could not run.
func RunChild() error {
	driver := control.New(os.Stdin, os.Stdout, os.Stdin)
	var first control.ToNode
	if err := driver.Receive(&first); err != nil || first.Boot == nil {
		return errors.New("node: only capsize itself starts such a process: unset " + childVariable)
	}
	boot := *first.Boot
	if err := control.CheckProtocol("the capsize that started this node", boot.Protocol); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", loopback)
	if err != nil {
		return fmt.Errorf("%s: %w", boot.Name, err)
	}
	hello := control.Hello{
		Protocol: control.Protocol, Name: boot.Name, Address: listener.Addr().String(), Run: boot.Run,
		Settings: boot.Settings, Proxy: boot.Proxy,
	}
	if err := errors.Join(driver.Send(&control.FromNode{Hello: &hello}), driver.Flush()); err != nil {
		return err
	}
	agent, err := cluster.StartAgent(cluster.AgentConfig{
		Boot: boot, Driver: driver,
		Stream: func(mark func() uint64, seen func(string, uint64)) (raft.StreamLayer, error) {
			return tcp.NewStreamLayer(tcp.StreamConfig{
				Name: boot.Name, Address: raft.ServerAddress(boot.Name), Listener: listener, Token: boot.Token,
				Dial: func(_ raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
					return net.DialTimeout("tcp", boot.Proxy, timeout)
				},
				Mark: mark, Seen: seen,
			}), nil
		},
	})
	if err != nil {
		return fmt.Errorf("%s: %w", boot.Name, err)
	}
	served := make(chan error, 1)
	go func() { served <- agent.Serve(driver, hello) }()
	select {
	case err = <-served:
		if errors.Is(err, io.EOF) {
			err = nil
		}
	case <-agent.Done():
		err = agent.Err()
	}
	closeWithin(agent, closeTimeout)
	return errors.Join(err, driver.Flush())
}

// closeWithin stops a node, or leaves it to the end of the process.
func closeWithin(agent *cluster.Agent, limit time.Duration) {
	closed := make(chan struct{})
	go func() { _ = agent.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(limit):
	}
}
