package cluster

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// diskContent is the content of a disk. Its log starts after the last gap: raft never
// uses entries before a gap, because a snapshot covers them.
type diskContent struct {
	term, voteTerm uint64
	vote           string
	logs           []raft.Log
	snapshot       raft.SnapshotMeta
	data           []byte
}

// readDisk reads the real stores of a node, also while its process is paused.
func readDisk(t *testing.T, n *node) diskContent {
	t.Helper()
	var backend faults.DiskBackend
	if p := n.running(); p != nil {
		backend = p.backend
	} else {
		opened, closeDisk, err := n.storage.open()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = closeDisk() }()
		backend = opened
	}
	disk, err := faults.NewDisk(faults.DiskConfig{}).Open(backend)
	if err != nil {
		t.Fatalf("open the disk of %s: %v", n.name, err)
	}
	defer disk.Kill()
	var c diskContent
	c.term, _ = disk.Stable().GetUint64([]byte(keyCurrentTerm))
	c.voteTerm, _ = disk.Stable().GetUint64([]byte(keyLastVoteTerm))
	vote, _ := disk.Stable().Get([]byte(keyLastVoteCand))
	c.vote = string(vote)
	first, _ := disk.Logs().FirstIndex()
	last, _ := disk.Logs().LastIndex()
	for index := first; index <= last && index > 0; index++ {
		var log raft.Log
		if err := disk.Logs().GetLog(index, &log); err != nil {
			c.logs = nil
			continue
		}
		c.logs = append(c.logs, raft.Log{Index: index, Term: log.Term, Type: log.Type, Data: log.Data})
	}
	snapshots, err := disk.Snapshots().List()
	if err != nil {
		t.Fatal(err)
	}
	if len(snapshots) > 0 {
		_, reader, err := disk.Snapshots().Open(snapshots[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reader.Close() }()
		if c.data, err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
		newest := snapshots[0]
		c.snapshot = raft.SnapshotMeta{Index: newest.Index, Term: newest.Term, Configuration: newest.Configuration}
	}
	return c
}

// mismatches returns a line for each difference between the disk and the node's state.
// With partialVote, the disk may hold the term of a later vote without its candidate.
func (c diskContent) mismatches(n *trace.Node, partialVote bool) (wrong []string) {
	compare := func(what string, folded, actual any) {
		if !reflect.DeepEqual(folded, actual) {
			wrong = append(wrong, fmt.Sprintf("%s: %s: got %v from the events, want %v from disk", n.ID, what, folded, actual))
		}
	}
	compare("term", n.Term, c.term)
	compare("vote", n.Vote, c.vote)
	if !partialVote || c.voteTerm < n.VoteTerm {
		compare("vote term", n.VoteTerm, c.voteTerm)
	}
	compare("snapshot index", n.SnapshotIndex, c.snapshot.Index)
	compare("snapshot term", n.SnapshotTerm, c.snapshot.Term)
	if !bytes.Equal(n.Snapshot, c.data) {
		wrong = append(wrong, fmt.Sprintf("%s: snapshot content: got %x from the events, want %x from disk",
			n.ID, n.Snapshot, c.data))
	}
	compare("snapshot configuration", configurationOf(n.SnapshotServers).Servers, c.snapshot.Configuration.Servers)
	logs := c.logs
	for len(logs) > 0 && logs[0].Index < n.First && logs[0].Index <= n.SnapshotIndex {
		logs = logs[1:] // compacted in the state, not yet deleted on disk
	}
	compare("log length", len(n.Entries), len(logs))
	for i := range min(len(n.Entries), len(logs)) {
		log, err := logOf(n.First+uint64(i), n.Entries[i])
		if err != nil {
			return append(wrong, fmt.Sprintf("%s: %v", n.ID, err))
		}
		compare(fmt.Sprintf("entry %d", log.Index), *log, logs[i])
	}
	return wrong
}

// checkDisks compares the real stores of all nodes with the state s.
func (tc *testCluster) checkDisks(s *trace.State) {
	tc.t.Helper()
	var wrong []string
	err := tc.clock.Do(func() {
		for _, n := range tc.allNodes() {
			wrong = append(wrong, readDisk(tc.t, n).mismatches(s.Node(n.name), tc.partialVotes[n.name])...)
		}
	})
	if err != nil {
		tc.t.Fatal(err)
	}
	if len(wrong) > 0 {
		tc.fatal("at %v events and disks differ, want the same content:\n%s", tc.clock.Now(), strings.Join(wrong, "\n"))
	}
}

// trackPartialVotes keeps partialVotes up to date. Raft stores the term of a vote
// before its candidate (hashicorp/raft raft.go, persistVote). A disk fault or a stop
// between the two writes leaves a partial vote until the next vote is stored.
func (tc *testCluster) trackPartialVotes() {
	tc.partialVotes = map[string]bool{}
	faulty := map[string]bool{} // nodes whose disk has a fault now
	tc.Trace().Subscribe(func(e trace.Event) {
		switch e.Kind {
		case trace.KindDiskFault:
			faulty[e.Node], tc.partialVotes[e.Node] = e.Text != "", true
		case trace.KindProcess:
			tc.partialVotes[e.Node] = true
		case trace.KindVote:
			tc.partialVotes[e.Node] = faulty[e.Node]
		default:
		}
	})
}
