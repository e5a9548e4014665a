package ui

import (
	"errors"
	"testing"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/vtime"
)

// leaderCrash is a scenario to put on stage.
func leaderCrash(t *testing.T) *scenario.Script {
	t.Helper()
	script, err := scenario.Load("leader-crash")
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func TestNoClusterIsLeftBehindWhenTheScreenEnds(t *testing.T) {
	s := newStage(t, 3)
	begin, late := s.startBranch(), s.openScenario(leaderCrash(t))
	msg := begin().(branchedMsg)
	if msg.err != nil {
		t.Fatal(msg.err)
	}
	if err := s.closeAllBut(s.Cluster); err != nil {
		t.Error(err)
	}
	if err := msg.branch.Cluster.Clock().Do(func() {}); !errors.Is(err, vtime.ErrClosed) {
		t.Errorf("a branch that was never shown still runs (%v)", err)
	}
	if s.Cluster.Closed() {
		t.Error("the cluster that is shown has ended too")
	}
	if msg := late().(openedMsg); msg.err == nil {
		t.Error("a scenario starts after the screen has ended")
	}
}

func TestShownClusterEndsWithTheScreen(t *testing.T) {
	s := newStage(t, 3)
	before := s.Cluster
	s.Update(s.openScenario(leaderCrash(t))())
	if s.Cluster == before {
		t.Fatal("the scenario is not shown")
	}
	if err := s.closeAllBut(nil); err != nil {
		t.Error(err)
	}
	for _, c := range []*cluster.Cluster{before, s.Cluster} {
		if err := c.Clock().Do(func() {}); !errors.Is(err, vtime.ErrClosed) {
			t.Errorf("a cluster still runs (%v)", err)
		}
	}
}
