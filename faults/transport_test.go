package faults

import (
	"testing"

	"github.com/hashicorp/raft"
)

// An endpoint may close between a heartbeat's arrival and its handling.
func TestHeartbeatIsDroppedIfItsEndpointHasClosed(t *testing.T) {
	n := NewNetwork(NetworkConfig{})
	defer n.Close()
	endpoint, handled := n.Transport("n1"), 0
	handle := func(raft.RPC) { handled++ }
	endpoint.handleHeartbeat(handle, raft.RPC{})
	_ = endpoint.Close()
	endpoint.handleHeartbeat(handle, raft.RPC{})
	if handled != 1 {
		t.Errorf("handled %d heartbeats, want the one before the endpoint closed", handled)
	}
}
