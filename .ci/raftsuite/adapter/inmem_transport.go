// This file replaces hashicorp/raft's inmem_transport.go. It compiles only there, next to
// the files of package faults, whose package-level names then have the prefix faults_.

//go:build go1.26

package raft

import (
	"cmp"
	"fmt"
	"io"
	"sync"
	"time"
)

// inmemNetwork connects all transports of the test binary. No two clusters share an address.
var inmemNetwork = faults_NewNetwork(faults_NetworkConfig{RPCTimeout: 500 * time.Millisecond})

// NewInmemAddr returns a new address.
func NewInmemAddr() ServerAddress { return ServerAddress(generateUUID()) }

// InmemTransport is an endpoint of inmemNetwork. It sends only to connected peers, as the
// tests expect of a LoopbackTransport.
type InmemTransport struct {
	*faults_Transport

	mu        sync.Mutex
	peers     map[ServerAddress]bool
	pipelines map[ServerAddress][]AppendPipeline
}

var (
	_ LoopbackTransport = (*InmemTransport)(nil)
	_ WithPreVote       = (*InmemTransport)(nil)
)

// NewInmemTransport returns a transport without peers, at a random address if addr is
// empty.
func NewInmemTransport(addr ServerAddress) (ServerAddress, *InmemTransport) {
	if addr == "" {
		addr = NewInmemAddr()
	}
	return addr, &InmemTransport{
		faults_Transport: inmemNetwork.Transport(addr),
		peers:            make(map[ServerAddress]bool),
		pipelines:        make(map[ServerAddress][]AppendPipeline),
	}
}

// Connect lets this transport send to the peer.
func (i *InmemTransport) Connect(peer ServerAddress, _ Transport) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.peers[peer] = true
}

// Disconnect closes the pipelines to the peer, and makes later requests to it fail.
func (i *InmemTransport) Disconnect(peer ServerAddress) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.peers, peer)
	for _, p := range i.pipelines[peer] {
		p.Close()
	}
	delete(i.pipelines, peer)
}

// DisconnectAll disconnects every peer.
func (i *InmemTransport) DisconnectAll() {
	i.mu.Lock()
	peers := make([]ServerAddress, 0, len(i.peers))
	for peer := range i.peers {
		peers = append(peers, peer)
	}
	i.mu.Unlock()
	for _, peer := range peers {
		i.Disconnect(peer)
	}
}

// Close disconnects every peer and closes the endpoint.
func (i *InmemTransport) Close() error {
	i.DisconnectAll()
	return i.faults_Transport.Close()
}

// route fails if the target is not connected.
func (i *InmemTransport) route(target ServerAddress) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.routeLocked(target)
}

func (i *InmemTransport) routeLocked(target ServerAddress) error {
	if !i.peers[target] {
		return fmt.Errorf("failed to connect to peer: %v", target)
	}
	return nil
}

// AppendEntriesPipeline opens a pipeline to the target.
func (i *InmemTransport) AppendEntriesPipeline(id ServerID, target ServerAddress) (AppendPipeline, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.routeLocked(target); err != nil {
		return nil, err
	}
	p, err := i.faults_Transport.AppendEntriesPipeline(id, target)
	if err != nil {
		return nil, err
	}
	i.pipelines[target] = append(i.pipelines[target], p)
	return p, nil
}

// AppendEntries sends the request if the target is connected.
func (i *InmemTransport) AppendEntries(id ServerID, target ServerAddress, args *AppendEntriesRequest, resp *AppendEntriesResponse) error {
	if err := i.route(target); err != nil {
		return err
	}
	return i.faults_Transport.AppendEntries(id, target, args, resp)
}

// RequestVote sends the request if the target is connected.
func (i *InmemTransport) RequestVote(id ServerID, target ServerAddress, args *RequestVoteRequest, resp *RequestVoteResponse) error {
	if err := i.route(target); err != nil {
		return err
	}
	return i.faults_Transport.RequestVote(id, target, args, resp)
}

// RequestPreVote sends the request if the target is connected.
func (i *InmemTransport) RequestPreVote(id ServerID, target ServerAddress, args *RequestPreVoteRequest, resp *RequestPreVoteResponse) error {
	if err := i.route(target); err != nil {
		return err
	}
	return i.faults_Transport.RequestPreVote(id, target, args, resp)
}

// InstallSnapshot sends the request if the target is connected.
func (i *InmemTransport) InstallSnapshot(id ServerID, target ServerAddress, args *InstallSnapshotRequest, resp *InstallSnapshotResponse, data io.Reader) error {
	if err := i.route(target); err != nil {
		return err
	}
	return i.faults_Transport.InstallSnapshot(id, target, args, resp, data)
}

// TimeoutNow sends the request if the target is connected.
func (i *InmemTransport) TimeoutNow(id ServerID, target ServerAddress, args *TimeoutNowRequest, resp *TimeoutNowResponse) error {
	if err := i.route(target); err != nil {
		return err
	}
	return i.faults_Transport.TimeoutNow(id, target, args, resp)
}

// Package raft's own min and max hide the built-in functions.

func faults_min[T cmp.Ordered](a, b T) T {
	if b < a {
		return b
	}
	return a
}

func faults_max[T cmp.Ordered](a, b T) T {
	if b > a {
		return b
	}
	return a
}
